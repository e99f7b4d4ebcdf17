package clickai

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Unix is a moment in whole Unix seconds, the form of every timestamp of the
// API. 0 means that the server did not say.
type Unix int64

// Time returns u in UTC, and the zero time for 0.
func (u Unix) Time() time.Time {
	if u == 0 {
		return time.Time{}
	}
	return time.Unix(int64(u), 0).UTC()
}

// UnmarshalJSON accepts a whole or broken number, bare or in a string; anything
// else leaves 0.
func (u *Unix) UnmarshalJSON(b []byte) error {
	var n looseInt
	if err := n.UnmarshalJSON(b); err != nil {
		return err
	}
	*u = Unix(n)
	return nil
}

// Decimal is a decimal number in text, such as a price: "0.000346". Servers
// send it as a JSON string or as a JSON number. "" means that the server did
// not say.
type Decimal string

// UnmarshalJSON accepts a string or a number; anything else leaves "".
func (d *Decimal) UnmarshalJSON(b []byte) error {
	*d = ""
	if len(b) == 0 {
		return nil
	}
	switch c := b[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*d = Decimal(s)
	case c == '-' || c >= '0' && c <= '9':
		*d = Decimal(b)
	}
	return nil
}

// Float returns d as a number, and 0 if it isn't one.
func (d Decimal) Float() float64 {
	f, err := strconv.ParseFloat(string(d), 64)
	if err != nil {
		return 0
	}
	return f
}

// looseString takes a JSON string as its text, null as "", and any other value as
// its JSON.
type looseString string

func (s *looseString) UnmarshalJSON(b []byte) error {
	*s = ""
	if len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return nil
	}
	if b[0] != '"' {
		*s = looseString(b)
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*s = looseString(text)
	return nil
}

// looseInt takes a number, whole or broken, bare or in a string. All else is 0.
type looseInt int64

func (n *looseInt) UnmarshalJSON(b []byte) error {
	*n = 0
	text := string(bytes.Trim(b, `"`))
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = looseInt(i)
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && math.Abs(f) < math.MaxInt64/2 {
		*n = looseInt(f)
	}
	return nil
}
