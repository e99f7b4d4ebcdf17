package telegram

import (
	"strings"
	"unicode/utf8"

	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/core"
)

// A row of buttons shares the width of a message, which holds about rowWidth characters on a phone. No figure is documented.
const (
	rowWidth   = 32
	rowButtons = 4
)

// keyboard is what shows buttons under a message; nil for none, which on an edit takes them away. What Telegram would
// refuse, and the whole message with it, is left out.
// Source: https://core.telegram.org/bots/api#inlinekeyboardbutton
func keyboard(buttons core.Buttons) models.ReplyMarkup {
	var rows [][]models.InlineKeyboardButton
	var row []models.InlineKeyboardButton
	widest := 0
	for _, b := range buttons.All() {
		if b.ID == "" || len(b.ID) > core.MaxButtonID || strings.TrimSpace(b.Label) == "" {
			continue
		}
		width := utf8.RuneCountInString(b.Label)
		// All buttons of a row are as wide as its widest.
		if n := len(row) + 1; n > 1 && (n > rowButtons || n*max(widest, width) > rowWidth) {
			rows, row, widest = append(rows, row), nil, 0
		}
		row, widest = append(row, models.InlineKeyboardButton{Text: b.Label, CallbackData: b.ID}), max(widest, width)
	}
	if len(row) > 0 {
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	return &models.InlineKeyboardMarkup{InlineKeyboard: rows}
}
