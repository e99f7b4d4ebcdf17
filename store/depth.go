package store

import (
	"context"
	"time"

	"github.com/clickai/bridge/core"
)

// Depth is how much has been accepted and waits for its end, for metrics.
type Depth struct {
	Questions     int       // commands that wait included; also those that a running turn has taken
	Conversations int       // that they belong to
	Oldest        time.Time // when the oldest was accepted; zero if there is none
}

// Depth looks through what waits. It reads the keys, and one question: 100,000 take some ten milliseconds.
func (s *Store) Depth(ctx context.Context) (Depth, error) {
	return read(ctx, s, "depth", func(t *txn) (d Depth, err error) {
		var last core.ConvKey
		var first uint64
		var oldest []byte
		for k, raw := range t.scan(bucketInbox, nil) {
			conv, seq, err := splitInboxKey(k)
			if err != nil {
				return d, err
			}
			if d.Questions++; conv != last {
				last = conv
				d.Conversations++
			}
			if oldest == nil || seq < first {
				first, oldest = seq, raw
			}
		}
		if oldest == nil {
			return d, nil
		}
		q, err := decode[core.Pending](bucketInbox, nil, oldest)
		if err != nil {
			return d, err
		}
		d.Oldest = time.UnixMilli(q.Recv).UTC()
		if q.Recv == 0 { // of an earlier version
			d.Oldest = q.Event.SentAt
		}
		return d, nil
	})
}
