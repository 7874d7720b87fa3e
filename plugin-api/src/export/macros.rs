//! `export_plugin!`: the one macro.

/// Exports a plugin: its meta, its door, and the layouts it was built against.
///
/// Once in a crate of type `cdylib`, after the plugin's type:
///
/// ```
/// # use exthost_plugin::prelude::*;
/// # struct Notes;
/// # impl Plugin for Notes {
/// #     fn init(_: &mut Router, _: &Services) -> Result<Self> { Ok(Notes) }
/// # }
/// export_plugin!(Notes, needs = [routes, db], wants = [log], after = ["users"], priority = 10);
/// ```
///
/// Name, version, description, license, authors, repository and homepage are
/// those of the plugin's `Cargo.toml`. The rest, all of it optional and in any
/// order:
///
/// * `needs`: capabilities it does not start without; `[routes]` unless given.
/// * `wants`: capabilities it can do without; `[log, config]` unless given.
/// * `after`: plugins that start before it, if they are there.
/// * `requires`: plugins it cannot do without.
/// * `priority`: an integer, lower starts first; 0 unless given.
///
/// Each stands once:
///
/// ```compile_fail
/// # use exthost_plugin::prelude::*;
/// # struct Notes;
/// # impl Plugin for Notes {
/// #     fn init(_: &mut Router, _: &Services) -> Result<Self> { Ok(Notes) }
/// # }
/// export_plugin!(Notes, needs = [routes], needs = [db]);
/// ```
///
/// The plugin's type is [`Exported`](crate::Exported) from then on, so that an
/// application, or a test, can have the plugin without a file.
///
/// # Several in one program
/// The symbols that a plugin exports can be there once in a program; of two the
/// linker says that `exthost_meta` is defined more than once. With `embedded` a
/// plugin exports none, and can only be part of a program. Its `name` and
/// `version` are those of the `Cargo.toml` unless they are given, after `embedded`:
///
/// ```
/// # use exthost_plugin::prelude::*;
/// # struct Audit;
/// # impl Plugin for Audit {
/// #     fn init(_: &mut Router, _: &Services) -> Result<Self> { Ok(Audit) }
/// # }
/// # struct Orders;
/// # impl Plugin for Orders {
/// #     fn init(_: &mut Router, _: &Services) -> Result<Self> { Ok(Orders) }
/// # }
/// export_plugin!(Audit, embedded, name = "audit", version = "1.0.0");
/// export_plugin!(Orders, embedded, name = "orders", needs = [routes, db]);
/// ```
#[macro_export]
macro_rules! export_plugin {
    // A capability's name, with the revision that this SDK speaks.
    (@capability routes) => { "routes/1" };
    (@capability log) => { "log/1" };
    (@capability config) => { "config/1" };
    (@capability tasks) => { "tasks/1" };
    (@capability events) => { "events/1" };
    (@capability db) => { "db/1" };
    (@capability broadcast) => { "broadcast/1" };
    (@capability webhooks) => { "webhooks/1" };
    (@capability kv) => { "kv/1" };
    (@capability cache) => { "cache/1" };
    (@capability audit) => { "audit/1" };
    (@capability $other:ident) => {
        ::core::compile_error!(::core::concat!(
            "unknown capability `", ::core::stringify!($other), "`; this version of ",
            "exthost-plugin knows routes, log, config, tasks, events, db, broadcast, webhooks, kv, cache, audit"
        ))
    };
    (@capabilities) => { "" };
    (@capabilities $first:ident $(, $rest:ident)* $(,)?) => {
        ::core::concat!(
            $crate::export_plugin!(@capability $first)
            $(, ",", $crate::export_plugin!(@capability $rest))*
        )
    };
    (@capabilities $($other:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "capabilities are names without quotes, as in [routes, db]; found `",
            ::core::stringify!($($other)*), "`"
        ))
    };
    // The API 1.N that brought it.
    (@since kv) => { 1 };
    (@since cache) => { 1 };
    (@since audit) => { 1 };
    (@since $other:ident) => { 0 };
    (@api $($needed:ident),* $(,)?) => {
        $crate::export::api(&[$($crate::export_plugin!(@since $needed)),*])
    };
    (@api $($other:tt)*) => { "" };
    (@names) => { "" };
    (@names $first:literal $(, $rest:literal)* $(,)?) => {
        ::core::concat!($first $(, ",", $rest)*)
    };
    (@names $($other:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "plugins are named in quotes, as in [\"users\"]; found `",
            ::core::stringify!($($other)*), "`"
        ))
    };

    (@text $text:expr) => { $text };
    (@priority) => { "" };
    (@priority $order:literal) => {{
        const _: i32 = $order;
        ::core::concat!($order)
    }};
    // A default stands in parentheses, what was given in brackets.
    (@in $what:ident ($($default:tt)*)) => { $crate::export_plugin!(@$what $($default)*) };
    (@in $what:ident [$($given:tt)*]) => { $crate::export_plugin!(@$what $($given)*) };

    // What it says of itself.
    (@entries [$name:tt $version:tt] $n:tt $w:tt $a:tt $r:tt $o:tt) => {{
        ::core::assert!(
            $crate::export::is_plugin_name($crate::export_plugin!(@in text $name)),
            ::core::concat!(
                "`", $crate::export_plugin!(@in text $name), "` is no plugin name: lower-case ",
                "letters, digits and single dashes, first a letter, 64 bytes at most; ",
                "write `-` for `_` in the `name` of Cargo.toml's [package]"
            )
        );
        &[
            ("name", $crate::export_plugin!(@in text $name)),
            ("version", $crate::export_plugin!(@in text $version)),
            ("api", $crate::export_plugin!(@in api $n)),
            ("sdk", "rust/1.0.0"),
            ("panic", if ::core::cfg!(panic = "abort") { "abort" } else { "unwind" }),
            ("tables", $crate::export::TABLES),
            ("needs", $crate::export_plugin!(@in capabilities $n)),
            ("wants", $crate::export_plugin!(@in capabilities $w)),
            ("after", $crate::export_plugin!(@in names $a)),
            ("requires", $crate::export_plugin!(@in names $r)),
            ("priority", $crate::export_plugin!(@in priority $o)),
            ("description", ::core::env!("CARGO_PKG_DESCRIPTION")),
            ("license", ::core::env!("CARGO_PKG_LICENSE")),
            ("authors", ::core::env!("CARGO_PKG_AUTHORS")),
            ("repository", ::core::env!("CARGO_PKG_REPOSITORY")),
            ("homepage", ::core::env!("CARGO_PKG_HOMEPAGE")),
        ]
    }};
    (@exported $p:ty) => {
        impl $crate::Exported for $p {
            fn embedded() -> $crate::Embedded {
                $crate::export::embedded::<$p>(&META)
            }
        }
    };

    // The options, one at a time, each replacing its default, and so only once.
    (@set $p:ty, $e:tt ($($d:tt)*) $w:tt $a:tt $r:tt $o:tt, needs = [$($x:tt)*] $(, $($rest:tt)*)?) => {
        $crate::export_plugin!(@set $p, $e [$($x)*] $w $a $r $o, $($($rest)*)?);
    };
    (@set $p:ty, $e:tt $n:tt ($($d:tt)*) $a:tt $r:tt $o:tt, wants = [$($x:tt)*] $(, $($rest:tt)*)?) => {
        $crate::export_plugin!(@set $p, $e $n [$($x)*] $a $r $o, $($($rest)*)?);
    };
    (@set $p:ty, $e:tt $n:tt $w:tt ($($d:tt)*) $r:tt $o:tt, after = [$($x:tt)*] $(, $($rest:tt)*)?) => {
        $crate::export_plugin!(@set $p, $e $n $w [$($x)*] $r $o, $($($rest)*)?);
    };
    (@set $p:ty, $e:tt $n:tt $w:tt $a:tt ($($d:tt)*) $o:tt, requires = [$($x:tt)*] $(, $($rest:tt)*)?) => {
        $crate::export_plugin!(@set $p, $e $n $w $a [$($x)*] $o, $($($rest)*)?);
    };
    (@set $p:ty, $e:tt $n:tt $w:tt $a:tt $r:tt (), priority = $x:literal $(, $($rest:tt)*)?) => {
        $crate::export_plugin!(@set $p, $e $n $w $a $r [$x], $($($rest)*)?);
    };
    (@set $p:ty, [] $n:tt $w:tt $a:tt $r:tt $o:tt, embedded $(, $($rest:tt)*)?) => {
        $crate::export_plugin!(
            @set $p, [
                (::core::env!("CARGO_PKG_NAME")) (::core::env!("CARGO_PKG_VERSION"))
            ] $n $w $a $r $o, $($($rest)*)?
        );
    };
    (@set
        $p:ty, [($($d:tt)*) $version:tt] $n:tt $w:tt $a:tt $r:tt $o:tt,
        name = $x:literal $(, $($rest:tt)*)?
    ) => {
        $crate::export_plugin!(@set $p, [[$x] $version] $n $w $a $r $o, $($($rest)*)?);
    };
    (@set
        $p:ty, [$name:tt ($($d:tt)*)] $n:tt $w:tt $a:tt $r:tt $o:tt,
        version = $x:literal $(, $($rest:tt)*)?
    ) => {
        $crate::export_plugin!(@set $p, [$name [$x]] $n $w $a $r $o, $($($rest)*)?);
    };
    (@set $p:ty, [] $n:tt $w:tt $a:tt $r:tt $o:tt, ) => {
        const _: () = {
            const ENTRIES: &[(&str, &str)] = $crate::export_plugin!(
                @entries [
                    (::core::env!("CARGO_PKG_NAME")) (::core::env!("CARGO_PKG_VERSION"))
                ] $n $w $a $r $o
            );

            #[used]
            #[unsafe(export_name = "exthost_meta")]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".exthost"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__exthost"))]
            static META: [u8; $crate::export::length(ENTRIES)] = $crate::export::build(ENTRIES);

            #[used]
            #[unsafe(export_name = "exthost_plugin")]
            static DOOR: $crate::export::PluginTable = $crate::export::door::<$p>();

            #[used]
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static LAYOUT: $crate::export::LibHeader = $crate::export::HEADER;

            $crate::export_plugin!(@exported $p);
        };
    };
    (@set $p:ty, [$name:tt $version:tt] $n:tt $w:tt $a:tt $r:tt $o:tt, ) => {
        const _: () = {
            const ENTRIES: &[(&str, &str)] =
                $crate::export_plugin!(@entries [$name $version] $n $w $a $r $o);

            static META: [u8; $crate::export::length(ENTRIES)] = $crate::export::build(ENTRIES);

            $crate::export_plugin!(@exported $p);
        };
    };
    (@set $p:ty, $e:tt $n:tt $w:tt $a:tt $r:tt $o:tt, $($unknown:tt)+) => {
        ::core::compile_error!(::core::concat!(
            "export_plugin! takes a type, then any of needs = [db], wants = [log], ",
            "after = [\"name\"], requires = [\"name\"], priority = 10, embedded, and after that ",
            "name = \"audit\", version = \"1.0.0\", each once; found `",
            ::core::stringify!($($unknown)+), "`"
        ));
    };
    ($plugin:ty $(, $($options:tt)*)?) => {
        $crate::export_plugin!(
            @set $plugin, [] (routes) (log, config) () () (), $($($options)*)?
        );
    };
}
