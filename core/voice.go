package core

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
)

// voiceFile is the spoken answer as one file of its true type. The pieces that it was sent in are joined byte by byte; where
// a sentence each is a file of its own, their headers are in the middle.
func voiceFile(audio []byte) File {
	name, mime := "answer.mp3", "audio/mpeg" // what most providers send
	switch {
	case isWAV(audio):
		name, mime, audio = "answer.wav", "audio/wav", joinWAV(audio)
	case bytes.HasPrefix(audio, []byte("OggS")):
		name, mime = "answer.ogg", "audio/ogg" // streams may follow each other, https://www.rfc-editor.org/rfc/rfc3533
	case bytes.HasPrefix(audio, []byte("fLaC")):
		name, mime = "answer.flac", "audio/flac"
	case len(audio) >= 12 && string(audio[4:8]) == "ftyp":
		name, mime = "answer.m4a", "audio/mp4"
	case bytes.HasPrefix(audio, []byte{0x1A, 0x45, 0xDF, 0xA3}):
		name, mime = "answer.webm", "audio/webm"
	case len(audio) >= 2 && audio[0] == 0xFF && audio[1]&0xF6 == 0xF0:
		name, mime = "answer.aac", "audio/aac" // ADTS, whose layer is 0
	default:
		audio = joinMP3(audio)
	}
	return File{
		Name: name, MIME: mime, Size: int64(len(audio)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(audio)), nil },
	}
}

func isWAV(b []byte) bool {
	return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WAVE"
}

// nextWAV is where the next file begins in b, len(b) if nowhere. Its mark and the chunk that follows are 16 bytes that
// samples do not show by chance.
func nextWAV(b []byte) int {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("RIFF"))
		if i < 0 {
			return len(b)
		}
		at += i
		if isWAV(b[at:]) {
			return at
		}
		at++
	}
}

// joinWAV makes one file of several that follow each other: the format of the first, and the samples of all. Files that are
// made while they are sent do not know their length; what they say of it is not relied on.
// Source: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
func joinWAV(whole []byte) []byte {
	audio := whole
	var format, samples []byte
	for len(audio) > 0 {
		end := 12 + nextWAV(audio[min(12, len(audio)):])
		end = min(end, len(audio))
		f, data := wavParts(audio[:end])
		if format == nil {
			format = f
			samples = make([]byte, 0, len(audio))
		}
		if bytes.Equal(f, format) {
			samples = append(samples, data...)
		}
		audio = audio[end:]
	}
	if format == nil {
		return whole
	}
	const head = 12 + 8 + 8 // RIFF and WAVE, and the heads of the two chunks
	out := make([]byte, 0, head+len(format)+1+len(samples)+1)
	pad := func() {
		if len(out)%2 == 1 {
			out = append(out, 0)
		}
	}
	out = append(out, "RIFF\x00\x00\x00\x00WAVEfmt "...)
	out = append(binary.LittleEndian.AppendUint32(out, uint32(len(format))), format...)
	pad()
	out = append(out, "data"...)
	out = append(binary.LittleEndian.AppendUint32(out, uint32(len(samples))), samples...)
	pad()
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// wavParts are the format and the samples of one file. The last chunk may be shorter than it says.
func wavParts(b []byte) (format, samples []byte) {
	for b = b[12:]; len(b) >= 8; {
		id, n := string(b[:4]), uint64(binary.LittleEndian.Uint32(b[4:8]))
		b = b[8:]
		body := b[:min(n, uint64(len(b)))]
		switch id {
		case "fmt ":
			format = body
		case "data":
			if n == 0 || n >= 0x7FFF_FFFF { // not known when the header was written
				body = b
			}
			return format, body
		}
		b = b[min(n+n%2, uint64(len(b))):]
	}
	return format, nil
}

// joinMP3 takes out of several files that follow each other what only fits a file of its own: the tags in front of the
// later ones, and the frames that tell a player how long a file is. The sound itself stays as it is.
// Sources: https://id3.org/id3v2.4.0-structure, http://gabriel.mp3-tech.org/mp3infotag.html
func joinMP3(whole []byte) []byte {
	audio := whole
	out := make([]byte, 0, len(whole))
	for first := true; len(audio) > 0; first = false {
		n := id3Size(audio)
		if n > 0 {
			if first {
				out = append(out, audio[:n]...)
			}
			audio = audio[n:]
			continue
		}
		n = mp3Frame(audio)
		if n == 0 { // not known: up to the next frame that is one
			n = 1
			for n < len(audio) && id3Size(audio[n:]) == 0 && mp3Frame(audio[n:]) == 0 {
				n++
			}
			out = append(out, audio[:n]...)
		} else if !infoFrame(audio[:n]) {
			out = append(out, audio[:n]...)
		}
		audio = audio[n:]
	}
	if len(out) == 0 {
		return whole
	}
	return out
}

// id3Size is the length of the tag at the start of b; 0 if there is none.
func id3Size(b []byte) int {
	if len(b) < 10 || string(b[:3]) != "ID3" || b[3] == 0xFF || (b[6]|b[7]|b[8]|b[9])&0x80 != 0 {
		return 0
	}
	n := 10 + (int(b[6])<<21 | int(b[7])<<14 | int(b[8])<<7 | int(b[9]))
	if b[5]&0x10 != 0 {
		n += 10 // a footer
	}
	return min(n, len(b))
}

// Bit rates of layer III in kbit/s, and sample rates of MPEG-1, in Hz, by their index in a frame's header (ISO/IEC 11172-3,
// 13818-3).
var (
	mp3RatesV1 = [16]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	mp3RatesV2 = [16]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
	mp3Hertz   = [4]int{44100, 48000, 32000}
)

// mp3Frame is the length of the whole frame of layer III at the start of b; 0 if there is none.
func mp3Frame(b []byte) int {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE6 != 0xE2 {
		return 0
	}
	version := b[1] >> 3 & 3 // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
	hertz := mp3Hertz[b[2]>>2&3]
	rates, samples := mp3RatesV1, 144
	if version != 3 {
		rates, samples = mp3RatesV2, 72
		hertz /= 2
		if version == 0 {
			hertz /= 2
		}
	}
	rate := rates[b[2]>>4]
	if version == 1 || hertz == 0 || rate == 0 {
		return 0
	}
	n := samples*rate*1000/hertz + int(b[2]>>1&1)
	if n > len(b) {
		return 0
	}
	return n
}

// infoFrame tells whether a frame holds no sound but what a player should know of the file.
func infoFrame(frame []byte) bool {
	side := 36 // where its mark stands: behind the header and the side information
	switch v1, mono := frame[1]>>3&3 == 3, frame[3]>>6 == 3; {
	case v1 && mono, !v1 && !mono:
		side = 21
	case !v1 && mono:
		side = 13
	}
	mark := func(at int, marks ...string) bool {
		for _, m := range marks {
			if len(frame) >= at+4 && string(frame[at:at+4]) == m {
				return true
			}
		}
		return false
	}
	return mark(side, "Xing", "Info") || mark(36, "VBRI")
}
