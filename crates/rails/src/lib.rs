//! Our side of the clearing rails.
