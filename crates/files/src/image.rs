//! What kind of picture a file is, by its first bytes and not by what its sender says.

/// The kinds of pictures that are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    Jpeg,
    Png,
    Webp,
}

impl ImageKind {
    /// So many first bytes tell it.
    pub const HEAD: usize = 12;

    /// The kind of a file that begins so; `None` for every other file.
    #[must_use]
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            // A start of image, and the first of its markers (ISO/IEC 10918-1, B.1.1).
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            // RFC 2083, 3.1.
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            // RFC 9649, 2.4: a RIFF file of any size.
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        for (head, kind) in [
            (&b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"[..], Some(ImageKind::Jpeg)),
            (b"\xff\xd8\xff\xe1\x12\x34Exif\x00\x00", Some(ImageKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d", Some(ImageKind::Png)),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", Some(ImageKind::Webp)),
            (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
            (b"GIF89a\x01\x00\x01\x00\x00\x00", None),
            (b"<svg xmlns=\"", None),
            (b"%PDF-1.7\n%\xe2\xe3", None),
            (b"\xff\xd8", None),
            (b"RIFF\x24\x00\x00\x00WEB", None),
            (b"", None),
        ] {
            assert_eq!(ImageKind::sniff(head), kind, "{head:?}");
        }
    }
}
