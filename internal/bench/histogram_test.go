package bench_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/bench"
)

func TestHistogramAgainstSortedValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name string
		next func() time.Duration
	}{
		{"microseconds", func() time.Duration { return time.Duration(random.IntN(120)) * time.Microsecond }},
		{"milliseconds", func() time.Duration { return time.Duration(random.ExpFloat64() * float64(20*time.Millisecond)) }},
		{"minutes", func() time.Duration { return time.Duration(random.Float64() * float64(20*time.Minute)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var whole, a, b bench.Histogram
			var all []time.Duration
			for i := range 5000 {
				d := tt.next()
				all = append(all, d)
				whole.Add(d)
				if i%3 == 0 {
					a.Add(d)
				} else {
					b.Add(d)
				}
			}
			a.Merge(&b)
			slices.Sort(all)
			for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
				want := all[max(int(q*float64(len(all))+0.999999)-1, 0)]
				for _, h := range []*bench.Histogram{&whole, &a} {
					got := h.Quantile(q)
					if off := got - want; off < -want/100-time.Microsecond || off > want/100+time.Microsecond {
						t.Errorf("quantile %v = %v, want %v to 1 %%", q, got, want)
					}
				}
			}
			if a.Count() != 5000 || a.Max() != all[len(all)-1] || whole.Quantile(1) != all[len(all)-1] {
				t.Errorf("merged: count %d, max %v; want 5000, %v exactly", a.Count(), a.Max(), all[len(all)-1])
			}
		})
	}
}

func TestHistogramAtItsEdges(t *testing.T) {
	var h bench.Histogram
	if h.Quantile(0.5) != 0 || h.Max() != 0 {
		t.Error("an empty one has values")
	}
	h.Add(-time.Second)
	if h.Quantile(1) != 0 || h.Count() != 1 {
		t.Errorf("a negative value counts as %v", h.Quantile(1))
	}
	h.Add(1000 * time.Hour)
	if h.Max() != 1000*time.Hour || h.Quantile(1) != 1000*time.Hour {
		t.Errorf("max = %v, quantile %v", h.Max(), h.Quantile(1))
	}
}
