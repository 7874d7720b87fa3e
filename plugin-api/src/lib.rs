//! Write plugins for exthost.
