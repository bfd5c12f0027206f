//! CONTRL.
