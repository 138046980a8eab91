//! What errors are taken for, and that none of them leaks.
