//! `sekali serve`: the server, in the foreground.
