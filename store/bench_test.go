package store_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clickai/bridge/store"
	"github.com/clickai/bridge/store/storetest"
)

func BenchmarkAcceptAlone(b *testing.B) {
	s := storetest.Open(b, store.Options{})
	q := question("", "c", "")
	q.Event.Text = strings.Repeat("How do I reset my password? ", 5)
	i := 0
	for b.Loop() {
		i++
		q.Event.Key, q.Event.MessageID = fmt.Sprint("k", i), fmt.Sprint("m", i)
		put(b, s, q)
	}
	report(b, s)
}

func BenchmarkAccept100AtOnce(b *testing.B) {
	s := storetest.Open(b, store.Options{})
	var n atomic.Uint64
	b.SetParallelism((100 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		q := question("", "c", "")
		q.Event.Text = strings.Repeat("How do I reset my password? ", 5)
		for pb.Next() {
			i := n.Add(1)
			q.Event.Key, q.Event.MessageID = fmt.Sprint("k", i), fmt.Sprint("m", i)
			if _, _, err := s.Put(b.Context(), q); err != nil {
				b.Error(err)
			}
		}
	})
	report(b, s)
}

func report(b *testing.B, s *storetest.Store) {
	b.ReportMetric(float64(s.Stats().Commits)/float64(b.N), "commits/op")
}
