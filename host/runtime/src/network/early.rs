//! A connection whose writing end may break without taking the answer with it.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A server that refuses an upload answers and closes, while the upload still
/// goes on: writing then fails before the answer has been read. Here a broken
/// writing end only goes silent, and reading tells how it ended: after that
/// nothing more is to come, and writing fails, so that the connection ends.
pub(super) struct KeepsAnswers<S> {
    stream: S,
    broken: bool,
    /// The reading end has ended as well.
    over: bool,
}

impl<S> KeepsAnswers<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, broken: false, over: false }
    }

    /// What writing gives once it is broken.
    fn silent<T>(&self) -> Poll<io::Result<T>> {
        if self.over { Poll::Ready(Err(ErrorKind::BrokenPipe.into())) } else { Poll::Pending }
    }

    fn judge<T>(&mut self, cx: &Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &result
            && matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
        {
            self.broken = true;
            // What there is to be read was perhaps asked for before it came.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for KeepsAnswers<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        if let Poll::Ready(result) = &read {
            self.over |= result.is_err() || into.filled().len() == before;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for KeepsAnswers<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken {
            return self.silent();
        }
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return self.silent();
        }
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
