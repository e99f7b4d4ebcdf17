package bench

import (
	"math/bits"
	"time"
)

const (
	subBuckets = 128 // of each doubling: values are exact to 0.8 %
	subBits    = 7
	octaves    = 34 // 2^40 µs, some 12 days
)

// Histogram counts durations in constant memory. Up to 127 µs it is exact to the microsecond, above that to 0.8 %; least
// and greatest value are exact. The zero value is ready. It is not safe for concurrent use.
type Histogram struct {
	counts   [subBuckets * octaves]uint64
	n        uint64
	least    time.Duration
	greatest time.Duration
}

// Add counts a duration; a negative one as 0.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(d)]++
	if h.n == 0 || d < h.least {
		h.least = d
	}
	h.greatest = max(h.greatest, d)
	h.n++
}

func bucketOf(d time.Duration) int {
	v := uint64(d / time.Microsecond)
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return min(subBuckets*(shift+1)+int(v>>shift)-subBuckets, subBuckets*octaves-1)
}

// upper is the greatest duration that bucket i counts.
func upper(i int) time.Duration {
	if i < subBuckets {
		return time.Duration(i+1)*time.Microsecond - 1
	}
	shift := i/subBuckets - 1
	return time.Duration((uint64(i%subBuckets)+subBuckets+1)<<shift)*time.Microsecond - 1
}

// Merge adds what another one has counted.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	if h.n == 0 || o.least < h.least {
		h.least = o.least
	}
	h.greatest = max(h.greatest, o.greatest)
	h.n += o.n
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.n }

// Quantile is the least value that a share q (0 to 1) of all values does not exceed; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(q * float64(h.n))
	if float64(rank) < q*float64(h.n) {
		rank++
	}
	rank = min(max(rank, 1), h.n)
	var seen uint64
	for i, c := range h.counts {
		if seen += c; seen >= rank && i < len(h.counts)-1 { // the last one has no upper bound
			return min(max(upper(i), h.least), h.greatest)
		}
	}
	return h.greatest
}

// Max is the greatest value; 0 if there are none.
func (h *Histogram) Max() time.Duration { return h.greatest }
