package clickai

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
)

// chart draws a small bar chart as PNG, always the same for the same seed.
func chart(seed uint32) []byte {
	const w, h, bars = 320, 180, 8
	img := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{
		color.RGBA{250, 250, 252, 255},
		color.RGBA{210, 214, 222, 255},
		color.RGBA{uint8(seed), uint8(seed >> 8), 190, 255},
		color.RGBA{60, 64, 72, 255},
	})
	fill := func(r image.Rectangle, c uint8) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				img.SetColorIndex(x, y, c)
			}
		}
	}
	for y := 20; y < h-20; y += 35 {
		fill(image.Rect(20, y, w-20, y+1), 1)
	}
	for i := range bars {
		seed = seed*1664525 + 1013904223 // the usual constants of a linear congruential generator
		top := h - 20 - int(seed>>16)%(h-50)
		fill(image.Rect(28+i*34, top, 28+i*34+24, h-20), 2)
	}
	fill(image.Rect(20, h-20, w-20, h-18), 3)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil // encoding to memory cannot fail
	}
	return b.Bytes()
}

// speech is a short MP3 in chunks: a tag with a title, then frames of silence. The standard library cannot encode
// sound, and what matters to a client is that joined chunks are a file that plays.
func speech(title string, chunks int) [][]byte {
	// Frame header of MPEG-1 layer III, 32 kbit/s, 44.1 kHz, mono; such a frame is 144*32000/44100 bytes long, cut to
	// 104, and lasts 1152 samples. All zero after the header, it decodes to silence.
	frame := append([]byte{0xFF, 0xFB, 0x10, 0xC4}, make([]byte, 100)...)
	out := [][]byte{id3(title)}
	for range chunks {
		out = append(out, bytes.Repeat(frame, 10))
	}
	return out
}

// id3 is an ID3v2.3 tag (https://id3.org/id3v2.3.0) with a title in UTF-16.
func id3(title string) []byte {
	text := []byte{1, 0xFF, 0xFE}
	for _, c := range title {
		if c > 0xFFFF {
			c = '?'
		}
		text = binary.LittleEndian.AppendUint16(text, uint16(c))
	}
	tag := append([]byte("TIT2"), binary.BigEndian.AppendUint32(nil, uint32(len(text)))...)
	tag = append(append(tag, 0, 0), text...)
	// The tag's size has seven bits in each byte.
	n := len(tag)
	head := []byte{'I', 'D', '3', 3, 0, 0, byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}
	return append(head, tag...)
}
