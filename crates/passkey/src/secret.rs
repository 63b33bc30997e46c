//! A value that must not be seen: it has no `Debug` or `Display`, and its memory is overwritten when it is dropped.

use zeroize::Zeroize;

/// A secret. Whoever needs the value says so by calling [`Secret::expose`], which is easy to find in a review.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in. The caller's own copies, if any, are the caller's to overwrite.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
