//! Waits for a task as if its code ran here.

use tokio::task::JoinHandle;

/// What a task comes to; its panic goes on here.
pub(super) async fn joined<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and with it whoever waits.
            Err(_) => std::future::pending().await,
        },
    }
}
