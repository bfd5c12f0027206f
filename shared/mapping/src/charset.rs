//! Character sets.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Any character set as UTF-8; what is not in it is refused, never replaced.
pub(crate) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    raw: Box<[u8]>,
    /// What of `raw` is not decoded yet.
    pending: std::ops::Range<usize>,
    consumed: u64,
    ended: bool,
    finished: bool,
    /// What is wrong behind the text that was given last.
    failed: Option<io::Error>,
}

impl<R: Read> Decoded<R> {
    /// Text of the named character set, a WHATWG name.
    pub(crate) fn new(inner: R, encoding: &str) -> Result<Self, String> {
        let encoding = Encoding::for_label(encoding.as_bytes())
            .ok_or_else(|| format!("`{encoding}` is no character set"))?;
        Ok(Self {
            inner,
            // Sees a byte order mark of UTF-8 or UTF-16 and takes it before what was configured.
            decoder: encoding.new_decoder(),
            raw: vec![0; 32 * 1024].into_boxed_slice(),
            pending: 0..0,
            consumed: 0,
            ended: false,
            finished: false,
            failed: None,
        })
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            self.finished = true;
            return Err(error);
        }
        // The decoder wants room for at least one character.
        if buffer.len() < 16 || self.finished {
            return Ok(0);
        }
        loop {
            if self.pending.is_empty() && !self.ended {
                let count = self.inner.read(&mut self.raw)?;
                self.pending = 0..count;
                self.ended = count == 0;
            }
            let input = self.raw.get(self.pending.clone()).unwrap_or_default();
            let (result, read, written) = self
                .decoder
                .decode_to_utf8_without_replacement(input, buffer, self.ended);
            self.pending.start += read;
            self.consumed += read as u64;
            match result {
                DecoderResult::Malformed(length, after) => {
                    // The first byte of what is wrong: how far the decoder has read behind it depends on the pieces.
                    let wrong =
                        (self.consumed + 1).saturating_sub(u64::from(length) + u64::from(after));
                    let error = io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!(
                            "byte {wrong} is not {}: name the right `encoding` in the feed",
                            self.decoder.encoding().name()
                        ),
                    );
                    // What stands before it is good, and is given first.
                    if written == 0 {
                        self.finished = true;
                        return Err(error);
                    }
                    self.failed = Some(error);
                    return Ok(written);
                }
                DecoderResult::InputEmpty if written == 0 && !self.ended => {}
                DecoderResult::InputEmpty => {
                    self.finished = self.ended;
                    return Ok(written);
                }
                DecoderResult::OutputFull => return Ok(written),
            }
        }
    }
}
