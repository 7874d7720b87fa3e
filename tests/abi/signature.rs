//! Takes a signature in normal form apart.

/// `fn(ctx: *const c_void, cause: u64) -> Status`, in parts.
pub(super) struct Signature<'a> {
    /// Name and type of each parameter.
    pub parameters: Vec<(&'a str, &'a str)>,
    /// The type it returns, if any.
    pub returns: Option<&'a str>,
}

impl<'a> Signature<'a> {
    /// The parts of `text`, or nothing when it is no function.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("fn(")?;
        let (parameters, rest) = rest.split_once(')')?;
        let parameters = parameters.split(", ").filter(|part| !part.is_empty());
        Some(Signature {
            parameters: parameters
                .filter_map(|part| part.split_once(": "))
                .collect(),
            returns: rest.strip_prefix(" -> "),
        })
    }

    /// Every type the signature names.
    pub(super) fn types(&self) -> impl Iterator<Item = &'a str> {
        let parameters = self.parameters.iter().map(|(_, ty)| *ty);
        parameters.chain(self.returns)
    }
}
