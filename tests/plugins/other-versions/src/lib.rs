//! Answers from its own runtime, with versions of its own: an older serde and an
//! older tokio than the host has.
#![forbid(unsafe_code)]

use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

struct OtherVersions {
    /// The thread of the runtime, until it is stopped.
    runtime: Mutex<Option<Runtime>>,
}

struct Runtime {
    questions: mpsc::Sender<Question>,
    thread: JoinHandle<()>,
}

impl Plugin for OtherVersions {
    fn init(router: &mut Router, _: &Services) -> Result<Self> {
        let (questions, received) = mpsc::channel(16);
        let thread = std::thread::Builder::new()
            .name("own-runtime".to_owned())
            .spawn(move || run(received))
            .map_err(|error| failed(error.to_string()))?;
        let asked = questions.clone();
        router
            .post("ask", move |Json(asked_for): Json<AskedFor>| {
                ask(asked.clone(), asked_for)
            })
            .public();
        let runtime = Mutex::new(Some(Runtime { questions, thread }));
        Ok(OtherVersions { runtime })
    }

    fn stop(&self) {
        let runtime = self.runtime.lock().map(|mut runtime| runtime.take());
        if let Ok(Some(Runtime { questions, thread })) = runtime {
            // The routes hold a sender, so the runtime is told.
            let _ = questions.try_send(Question::End);
            let _ = thread.join();
        }
    }
}

#[derive(Deserialize)]
struct AskedFor {
    name: String,
}

#[derive(Serialize)]
struct Answer {
    message: String,
    thread: String,
}

enum Question {
    Greet(String, oneshot::Sender<Answer>),
    End,
}

/// Asks the plugin's own runtime, from that of the host.
async fn ask(questions: mpsc::Sender<Question>, asked_for: AskedFor) -> Result<Json<Answer>> {
    let (reply, answer) = oneshot::channel();
    let question = Question::Greet(asked_for.name, reply);
    questions
        .send(question)
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(Json(
        answer.await.map_err(|error| failed(error.to_string()))?,
    ))
}

/// The thread: tokio 1.38, which knows nothing of the host's.
fn run(mut questions: mpsc::Receiver<Question>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        while let Some(Question::Greet(name, reply)) = questions.recv().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let thread = std::thread::current();
            let answer = Answer {
                message: format!("hello {name}"),
                thread: thread.name().unwrap_or_default().to_owned(),
            };
            // Whoever asked may have left.
            let _ = reply.send(answer);
        }
    });
}

fn failed(message: String) -> Error {
    Error::new(StatusCode::INTERNAL_SERVER_ERROR, "own-runtime", message)
}

export_plugin!(OtherVersions);
