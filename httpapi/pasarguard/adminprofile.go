package pasarguard

import (
	"encoding/json"
	"fmt"
)

// AdminProfile is what PasarGuard keeps with an admin for its bot and its pages. It is stored and returned, not used. It is
// exported because huma looks for embedded fields in exported types only.
type AdminProfile struct {
	TelegramID         *int64  `json:"telegram_id"`
	DiscordWebhook     *string `json:"discord_webhook"`
	SubDomain          *string `json:"sub_domain"`
	ProfileTitle       *string `json:"profile_title"`
	SupportURL         *string `json:"support_url"`
	NotificationEnable any     `json:"notification_enable"`
	DiscordID          *int64  `json:"discord_id"`
	SubTemplate        *string `json:"sub_template"`
	Note               *string `json:"note"`
	CustomVariables    any     `json:"custom_variables"`
}

// readProfile reads what mergedInto has made.
func readProfile(stored string) (p AdminProfile, err error) {
	if stored == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(stored), &p); err != nil {
		return p, fmt.Errorf("read an admin's profile: %w", err)
	}
	return p, nil
}

// mergedInto is the stored profile with what p has in it, as it is to be stored. What p does not have stays.
func (p AdminProfile) mergedInto(stored string) (string, error) {
	given, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write an admin's profile: %w", err)
	}
	var kept, changed map[string]json.RawMessage
	if stored == "" {
		stored = "{}"
	}
	if err := json.Unmarshal([]byte(stored), &kept); err != nil {
		return "", fmt.Errorf("read an admin's profile: %w", err)
	}
	if err := json.Unmarshal(given, &changed); err != nil {
		return "", fmt.Errorf("read an admin's profile: %w", err)
	}
	for name, value := range changed {
		if string(value) != "null" {
			kept[name] = value
		}
	}
	if len(kept) == 0 {
		return "", nil
	}
	text, err := json.Marshal(kept)
	return string(text), err
}
