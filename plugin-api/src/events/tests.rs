//! Events, against a host that says what it was asked for and delivers what it is
//! told to.

mod asking;
mod hearing;
mod states;
