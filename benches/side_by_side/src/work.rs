//! The fixed work, the same for every system.

/// One kind of request, and what its answer must be.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) body: &'static str,
    pub(crate) status: u16,
    /// Looks at a body quickly enough to look at all of them.
    pub(crate) is_right: fn(&[u8]) -> bool,
    /// Whether each request leaves a row.
    pub(crate) writes: bool,
}

pub(crate) const HELLO: Work = Work {
    name: "hello",
    method: "GET",
    target: "hello?name=World",
    body: "",
    status: 200,
    is_right: |body| body == br#"{"message":"hello World"}"#,
    writes: false,
};

pub(crate) const LIST: Work = Work {
    name: "list",
    method: "GET",
    target: "items?limit=20",
    body: "",
    status: 200,
    is_right: |body| {
        let items = body.strip_prefix(br#"{"items":[{"id":""#);
        // 20 items of 80 bytes at least.
        items.is_some_and(|rest| rest.len() > 1600 && rest.ends_with(b"}]}"))
    },
    writes: false,
};

pub(crate) const INSERT: Work = Work {
    name: "insert",
    method: "POST",
    target: "items",
    body: r#"{"name":"x"}"#,
    status: 201,
    is_right: |body| body.starts_with(br#"{"id":""#) && body.ends_with(br#"","name":"x"}"#),
    writes: true,
};

impl Work {
    /// The request as it is sent.
    pub(crate) fn request(&self) -> Vec<u8> {
        let Work {
            method,
            target,
            body,
            ..
        } = self;
        let mut head = format!("{method} /api/ext/items/{target} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
        if !body.is_empty() {
            let length = body.len();
            head += &format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}
