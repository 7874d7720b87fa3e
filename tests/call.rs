//! Does `exthost call` tell what a server with the plugin would answer, and leave
//! nothing behind?

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::support::{exthost, rust_plugin};

/// Where calls keep their data while they run.
struct Place {
    temporary: TempDir,
}

impl Place {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Place { temporary }
    }

    fn command(&self, file: &Path, arguments: &[&str]) -> Command {
        let mut command = exthost();
        command.arg("call").arg(file).args(arguments);
        for name in ["TMPDIR", "TMP", "TEMP"] {
            command.env(name, self.temporary.path());
        }
        command
    }

    fn call(&self, file: &Path, arguments: &[&str]) -> Called {
        let output = self.command(file, arguments).output().unwrap();
        self.is_clean();
        Called::of(output)
    }

    fn is_clean(&self) {
        let left = std::fs::read_dir(self.temporary.path()).unwrap().count();
        assert_eq!(left, 0, "something was left behind");
    }
}

/// Exit code, product and errors of a call.
#[derive(Debug)]
struct Called {
    code: Option<i32>,
    printed: String,
    told: String,
}

impl Called {
    fn of(output: Output) -> Self {
        Called {
            code: output.status.code(),
            printed: String::from_utf8(output.stdout).unwrap(),
            told: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[test]
fn answers_are_printed_and_their_status_is_the_exit_code() {
    let (place, hello) = (Place::new(), rust_plugin("hello"));
    let called = place.call(&hello, &["hello?name=Ada"]);
    assert_eq!(called.code, Some(0), "{called:?}");
    assert_eq!(called.printed, r#"{"message":"hello Ada"}"#);
    assert_eq!(called.told, "");

    let ada = r#"{"kind":"user","id":"u1","name":"Ada"}"#;
    let called = place.call(&hello, &["--as", ada, "whoami"]);
    assert_eq!(called.printed, r#"{"message":"hello Ada"}"#);

    let called = place.call(&hello, &["whoami", "--as", r#"{"kind":"anonymous"}"#, "-i"]);
    assert_eq!(called.code, Some(1), "{called:?}");
    assert!(
        called.printed.starts_with("401 Unauthorized\n"),
        "{called:?}"
    );
    let (head, body) = called.printed.split_once("\n\n").unwrap();
    assert!(
        head.contains("\ncontent-type: application/problem+json"),
        "{head}"
    );
    assert!(body.contains(r#""code":"unauthenticated""#), "{body}");
    assert_eq!(called.told, "error: hello answers 401 Unauthorized\n");

    let called = place.call(&hello, &["head", "hello", "-i"]);
    assert!(called.printed.starts_with("200 OK\n"), "{called:?}");
    assert!(called.printed.ends_with("\n\n"), "{called:?}");
}

#[test]
fn bodies_and_headers_reach_the_plugin() {
    let (place, notes) = (Place::new(), rust_plugin("notes"));
    let called = place.call(&notes, &["items", "-d", r#"{"name":"milk"}"#]);
    assert_eq!(called.code, Some(0), "{called:?}");
    assert!(called.printed.contains(r#""name":"milk""#), "{called:?}");
    let refused = [
        "post",
        "items",
        "-d",
        r#"{"name":"milk"}"#,
        "-H",
        "content-type: text/plain",
    ];
    let called = place.call(&notes, &refused);
    assert!(
        called.told.contains("415 Unsupported Media Type"),
        "{called:?}"
    );
    // The next call finds none of it.
    let called = place.call(&notes, &["items"]);
    assert_eq!(
        (called.code, called.printed.contains("milk")),
        (Some(0), false),
        "{called:?}"
    );
}

#[test]
fn what_does_not_answer_is_an_error() {
    let (place, faulty) = (Place::new(), rust_plugin("faulty"));
    let text = place.temporary.path().with_extension("txt");
    std::fs::write(&text, "a note").unwrap();
    for (file, arguments, part) in [
        (
            text.as_path(),
            &["hello"][..],
            "not-a-library: begins with `a note`",
        ),
        (Path::new("no/such.so"), &["hello"], "no/such.so"),
        (
            &faulty,
            &["/hello"],
            "`/hello` is not below `/api/ext/faulty/`",
        ),
        (&faulty, &["stream-panic"], "the answer breaks off: "),
        (
            &faulty,
            &["stream?chunks=2&ms=60000", "--timeout-ms", "100"],
            "after 100 ms; ",
        ),
    ] {
        let called = place.call(file, arguments);
        assert_eq!(called.code, Some(2), "{called:?}");
        assert!(called.told.contains(part), "{called:?}");
    }
    std::fs::remove_file(text).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_an_error() {
    let (place, hello) = (Place::new(), rust_plugin("hello"));
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = place.command(&hello, &["hello"]);
    let called = Called::of(command.stdout(full.unwrap()).output().unwrap());
    assert_eq!(called.code, Some(2), "{called:?}");
    let part = "error: the answer cannot be written: ";
    assert!(called.told.starts_with(part), "{called:?}");

    // Whoever wants no more than the first line has got it.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = place.command(&hello, &["hello"]);
    let called = Called::of(command.stdout(writer).output().unwrap());
    assert_eq!((called.code, &*called.told), (Some(0), ""), "{called:?}");
    place.is_clean();
}

#[test]
#[cfg(unix)]
fn a_stream_is_printed_as_it_comes_until_a_signal() {
    let (place, faulty) = (Place::new(), rust_plugin("faulty"));
    let mut command = place.command(&faulty, &["stream?chunks=2&ms=3600000"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    printed.read_line(&mut line).unwrap();
    assert_eq!(line, "chunk 0\n");
    let child_id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &child_id]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    place.is_clean();
}
