package main

import (
	"io"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logFlags say what is logged and how.
type logFlags struct {
	LogLevel  string `help:"Least severe level that is logged: ${enum}." enum:"debug,info,warn,error" default:"info"`
	LogFormat string `help:"How lines look: ${enum}." enum:"text,json" default:"text"`
}

// logger returns a log that writes to w, with times in UTC.
func (f logFlags) logger(w io.Writer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(f.LogLevel)
	if err != nil {
		return nil, err
	}
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z07:00")
	encoder := zapcore.NewJSONEncoder(config)
	if f.LogFormat == "text" {
		config.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(config)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level), zap.WithClock(utcClock{zapcore.DefaultClock})), nil
}

// utcClock gives log lines the same zone on every machine.
type utcClock struct{ zapcore.Clock }

// Now is the time in UTC.
func (c utcClock) Now() time.Time { return c.Clock.Now().UTC() }
