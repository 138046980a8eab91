//! Where one message of the protocol ends and the next begins.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// No message of a test is larger; a longer length means we lost the thread.
const LARGEST: usize = 1 << 30;

/// Reads whole messages from one side.
pub(super) struct Frames<R> {
    side: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(side: R) -> Self {
        Self { side, buffer: BytesMut::with_capacity(16 * 1024) }
    }

    /// The next messages: one is waited for, and those that are here in full come with it. The first byte of each is
    /// its type. None at the end of the stream, however it ends.
    pub(super) async fn batch(&mut self) -> Option<Vec<Bytes>> {
        let mut batch = vec![self.wait(1).await?];
        while let Some(frame) = self.split(1) {
            batch.push(frame);
        }
        Some(batch)
    }

    /// The first message of a connection, which alone has no type.
    pub(super) async fn first(&mut self) -> Option<Bytes> {
        self.wait(0).await
    }

    async fn wait(&mut self, type_len: usize) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.split(type_len) {
                return Some(frame);
            }
            if self.side.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }

    fn split(&mut self, type_len: usize) -> Option<Bytes> {
        let mut length = self.buffer.get(type_len..type_len + 4)?;
        // The length counts itself but not the type.
        let whole = type_len + usize::try_from(length.get_u32()).ok()?.clamp(4, LARGEST);
        (self.buffer.len() >= whole).then(|| self.buffer.split_to(whole).freeze())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn a_message_is_whole_however_it_arrives() {
        let (mut from, to) = tokio::io::duplex(3); // three bytes at a time
        let writer = async {
            from.write_all(b"Q\0\0\0\x06a\0S\0\0\0\x04").await.unwrap();
            drop(from);
        };
        let mut frames = Frames::new(to);
        let reader = async {
            let mut seen = Vec::new();
            while let Some(batch) = frames.batch().await {
                seen.extend(batch);
            }
            assert_eq!(seen, [&b"Q\0\0\0\x06a\0"[..], b"S\0\0\0\x04"]);
        };
        tokio::join!(writer, reader);
    }
}
