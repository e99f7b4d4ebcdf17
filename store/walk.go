package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The on-disk format of bbolt, as far as the walk below needs it (https://pkg.go.dev/go.etcd.io/bbolt, internal/common).
const (
	pageHeader   = 16 // id 8, flags 2, count 2, overflow 4
	pageElement  = 16
	bucketHeader = 16 // root 8, sequence 8
	metaSize     = 64

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf element

	metaMagic   = 0xED0CDAED
	metaVersion = 2
	noFreelist  = ^uint64(0)

	minPageSize, maxPageSize = 512, 1 << 20
	// maxDepth is more than any tree of a file that fits a disk has.
	maxDepth = 64
)

// walker follows every page of a store's file once, by itself, before bbolt is let at it. bbolt maps the file and trusts it:
// on a damaged one its own check, too, may read outside the file, go round in circles, or not end, which no caller can
// catch. After a walk without an error every page that bbolt can reach lies in the file, belongs to one place, and holds no
// element that reaches out of it.
type walker struct {
	ctx      context.Context // lives for one walk
	f        io.ReaderAt
	pageSize uint64
	pages    uint64   // ids are below it
	seen     []uint64 // a bit for each page
}

var errPages = errors.New("its pages are damaged")

func damagedPage(id uint64, what string) error {
	return fmt.Errorf("%w: page %d %s", errPages, id, what)
}

// walk checks the pages of a file of so many bytes.
func walk(ctx context.Context, f io.ReaderAt, size int64) error {
	m, err := readMeta(f)
	if err != nil {
		return err
	}
	w := walker{ctx: ctx, f: f, pageSize: uint64(m.pageSize), pages: m.pages}
	have := uint64(size) / w.pageSize
	if w.pages > have {
		return fmt.Errorf("it is cut short: %d pages of %d are there", have, w.pages)
	}
	w.seen = make([]uint64, w.pages/64+1)
	if err := w.claim(0, 1); err != nil { // the two metas
		return err
	}
	if m.freelist != noFreelist {
		if err := w.freelist(m.freelist); err != nil {
			return err
		}
	}
	return w.tree(m.root, 0)
}

// meta is what a store's file begins with.
type meta struct {
	pageSize              uint32
	root, freelist, pages uint64
	txid                  uint64
}

// readMeta reads the newer of the two that are sound, as bbolt does.
func readMeta(f io.ReaderAt) (meta, error) {
	var best meta
	found := false
	at := int64(0)
	for try := range 2 {
		m, err := metaAt(f, at)
		if err == nil && (!found || m.txid > best.txid) {
			best, found = m, true
		}
		if try == 0 {
			// Where the first is damaged, the second is looked for at the places that bbolt looks at: all usual page sizes.
			if err == nil {
				at = int64(m.pageSize)
				continue
			}
			for size := int64(minPageSize * 2); size <= maxPageSize; size *= 2 {
				if m, err := metaAt(f, size); err == nil && int64(m.pageSize) == size {
					return m, nil
				}
			}
		}
	}
	if !found {
		return best, fmt.Errorf("%w: it does not begin as one does", errPages)
	}
	return best, nil
}

func metaAt(f io.ReaderAt, at int64) (m meta, err error) {
	buf := make([]byte, metaSize)
	if _, err := f.ReadAt(buf, at+pageHeader); err != nil {
		return m, fmt.Errorf("read the beginning: %w", err)
	}
	order := binary.NativeEndian
	sum := fnv.New64a()
	_, _ = sum.Write(buf[:metaSize-8]) // a hash never fails
	m = meta{
		pageSize: order.Uint32(buf[8:]), root: order.Uint64(buf[16:]), freelist: order.Uint64(buf[32:]),
		pages: order.Uint64(buf[40:]), txid: order.Uint64(buf[48:]),
	}
	if order.Uint32(buf) != metaMagic || order.Uint32(buf[4:]) != metaVersion || order.Uint64(buf[56:]) != sum.Sum64() ||
		m.pageSize < minPageSize || m.pageSize > maxPageSize {
		return m, errPages
	}
	return m, nil
}

// claim takes a run of pages for one place. Each may be taken once.
func (w *walker) claim(id, overflow uint64) error {
	if id >= w.pages || overflow >= w.pages-id {
		return damagedPage(id, "reaches out of the file")
	}
	for p := id; p <= id+overflow; p++ {
		if w.seen[p/64]&(1<<(p%64)) != 0 {
			return damagedPage(p, "stands in two places")
		}
		w.seen[p/64] |= 1 << (p % 64)
	}
	return nil
}

// pageRun is a run of pages with its header read.
type pageRun struct {
	id    uint64
	flags uint16
	count int
	data  []byte // from the header on
}

// read claims a run of pages and reads it.
func (w *walker) read(id uint64) (p pageRun, err error) {
	if err := w.ctx.Err(); err != nil {
		return p, err
	}
	if id >= w.pages {
		return p, damagedPage(id, "is not there")
	}
	head := make([]byte, pageHeader)
	if _, err := w.f.ReadAt(head, int64(id*w.pageSize)); err != nil {
		return p, fmt.Errorf("read page %d: %w", id, err)
	}
	order := binary.NativeEndian
	overflow := uint64(order.Uint32(head[12:]))
	if err := w.claim(id, overflow); err != nil {
		return p, err
	}
	if order.Uint64(head) != id {
		return p, damagedPage(id, "is another one")
	}
	p = pageRun{id: id, flags: order.Uint16(head[8:]), count: int(order.Uint16(head[10:])), data: make([]byte, (overflow+1)*w.pageSize)}
	if _, err := w.f.ReadAt(p.data, int64(id*w.pageSize)); err != nil {
		return p, fmt.Errorf("read page %d: %w", id, err)
	}
	return p, nil
}

// freelist claims the pages that are free, so that none is in use as well.
func (w *walker) freelist(id uint64) error {
	p, err := w.read(id)
	if err != nil {
		return err
	}
	if p.flags != flagFreelist {
		return damagedPage(id, "is no list of free pages")
	}
	order := binary.NativeEndian
	ids, count := p.data[pageHeader:], uint64(p.count)
	if count == 0xFFFF { // too many for the header: the first entry is their number
		count, ids = order.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return damagedPage(id, "lists more than it holds")
	}
	for i := range count {
		if err := w.claim(order.Uint64(ids[i*8:]), 0); err != nil {
			return err
		}
	}
	return nil
}

// tree follows a tree of pages from its root.
func (w *walker) tree(id uint64, depth int) error {
	if depth > maxDepth {
		return damagedPage(id, "lies too deep")
	}
	p, err := w.read(id)
	if err != nil {
		return err
	}
	switch {
	case p.flags == flagBranch && p.count > 0:
		return w.branch(p, depth)
	case p.flags == flagLeaf:
		return w.leaf(p, depth)
	}
	return damagedPage(id, "is of no kind that it could be")
}

func (w *walker) branch(p pageRun, depth int) error {
	order := binary.NativeEndian
	for i := range p.count {
		e, ok := p.element(i)
		if !ok || !e.holds(uint64(order.Uint32(e.data)), uint64(order.Uint32(e.data[4:]))) {
			return damagedPage(p.id, "has an element that reaches out of it")
		}
		if err := w.tree(order.Uint64(e.data[8:]), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) leaf(p pageRun, depth int) error {
	order := binary.NativeEndian
	for i := range p.count {
		e, ok := p.element(i)
		if !ok {
			return damagedPage(p.id, "has more elements than it holds")
		}
		pos, key, value := uint64(order.Uint32(e.data[4:])), uint64(order.Uint32(e.data[8:])), uint64(order.Uint32(e.data[12:]))
		if !e.holds(pos, key+value) {
			return damagedPage(p.id, "has an element that reaches out of it")
		}
		if order.Uint32(e.data)&flagBucket == 0 {
			continue
		}
		if err := w.bucket(p.id, e.data[pos+key:pos+key+value], depth); err != nil {
			return err
		}
	}
	return nil
}

// bucket follows a bucket that stands in a page as a value: a tree of its own, or a small page within the value.
func (w *walker) bucket(in uint64, value []byte, depth int) error {
	if len(value) < bucketHeader {
		return damagedPage(in, "has a bucket without a header")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.tree(root, depth+1)
	}
	inner := value[bucketHeader:]
	if len(inner) < pageHeader || binary.NativeEndian.Uint16(inner[8:]) != flagLeaf || depth > maxDepth {
		return damagedPage(in, "has a bucket that is none")
	}
	return w.leaf(pageRun{id: in, flags: flagLeaf, count: int(binary.NativeEndian.Uint16(inner[10:])), data: inner}, depth+1)
}

// element is what a page holds from one of its elements on.
type element struct{ data []byte }

func (p *pageRun) element(i int) (element, bool) {
	at := pageHeader + i*pageElement
	if at+pageElement > len(p.data) {
		return element{}, false
	}
	return element{p.data[at:]}, true
}

// holds tells whether n bytes at pos, counted from the element, lie in its page.
func (e element) holds(pos, n uint64) bool { return pos+n <= uint64(len(e.data)) }
