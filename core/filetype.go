package core

import (
	"path"
	"strings"
)

// The types of files that apps tell apart. The names are those of the configuration and of ClickAI.
const (
	FileImage    = "image"
	FileDocument = "document"
	FileAudio    = "audio"
	FileVideo    = "video"
	FileCustom   = "custom"
)

var typeByExtension = func() map[string]string {
	m := map[string]string{}
	for kind, list := range map[string]string{
		FileImage:    "jpg jpeg png webp gif svg",
		FileAudio:    "mp3 m4a wav amr mpga",
		FileVideo:    "mp4 mov mpeg webm",
		FileDocument: "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties doc eml msg pptx ppt xml epub",
	} {
		for ext := range strings.FieldsSeq(list) {
			m[ext] = kind
		}
	}
	return m
}()

// FileType is the type of a file by its extension, else by its MIME type, as a Dify-compatible server decides it
// (https://github.com/langgenius/dify, api/constants and api/factories/file_factory.py).
func FileType(name, mime string) string {
	if kind, ok := typeByExtension[strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))]; ok {
		return kind
	}
	mime, _, _ = strings.Cut(strings.ToLower(mime), ";")
	switch {
	case strings.HasPrefix(mime, "image/"):
		return FileImage
	case strings.HasPrefix(mime, "video/"):
		return FileVideo
	case strings.HasPrefix(mime, "audio/"):
		return FileAudio
	case strings.HasPrefix(mime, "text/"), mime == "application/pdf":
		return FileDocument
	}
	return FileCustom
}
