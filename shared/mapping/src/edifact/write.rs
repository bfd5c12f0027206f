//! Interchanges that go out.
