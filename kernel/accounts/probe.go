package accounts

import (
	"fmt"
	"net"
	"strconv"

	"github.com/sluicehq/sluice/kernel/domain"
)

// probe refuses an inbound whose port another program holds, by listening on it for a moment.
func probe(in *domain.Inbound) error {
	address := net.JoinHostPort(in.Listen, strconv.Itoa(in.Port))
	tcp, udp := in.Networks()
	if tcp {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return portTaken(in, err)
		}
		_ = l.Close()
	}
	if udp {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return portTaken(in, err)
		}
		_ = c.Close()
	}
	return nil
}

func portTaken(in *domain.Inbound, err error) error {
	where := in.Listen
	if where == "" {
		where = "any address"
	}
	return domain.Conflict("port", fmt.Sprintf("%d can not be listened on at %s: it is in use, or not allowed", in.Port, where)).Because(err)
}
