//! The host that is measured: what an application embeds, with every limit and
//! timeout at its default, and nothing of development.
//!
//! Usage: `bench-host PORT DIRECTORY PLUGINS`

use std::error::Error;

use exthost::Host;
use exthost::http::{ServeOptions, serve};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, directory, plugins] = &arguments[..] else {
        return Err("usage: bench-host PORT DIRECTORY PLUGINS".into());
    };
    let port: u16 = port.parse()?;
    // One core is measured.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let host = Host::builder()
            .directory(plugins)
            .data(directory)
            .strict(true);
        let host = host.build().await?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        announce(&listener)?;
        let router = host.router().merge(host.admin_router());
        // Whoever measures ends the process.
        let never = std::future::pending::<()>();
        serve(listener, router, ServeOptions::default(), never).await;
        Ok(())
    })
}

#[allow(clippy::print_stdout, reason = "whoever measures waits for this line")]
fn announce(listener: &tokio::net::TcpListener) -> std::io::Result<()> {
    println!("serving on http://{}", listener.local_addr()?);
    Ok(())
}
