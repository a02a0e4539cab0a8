//! Building the example plugins in JavaScript and Python, whose compilers come
//! from npm and from `PyPI`. Where those cannot be had, the examples are left
//! out, and a file beside the components says why.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    apt,
    plugins::{place, youngest},
    report::{installed, must, root, say, step},
};

/// A language with examples in `plugins/examples`.
struct Language {
    /// Its folder there, and the end of the components' names.
    name: &'static str,
    /// Makes the compiler ready in the folder, if it is not there yet.
    prepare: fn(&Path) -> Result<()>,
    /// Compiles: the compiler's folder, the source without its ending, the world, the output.
    compile: fn(&Path, &str, &str, &Path) -> Result<()>,
}

const LANGUAGES: [Language; 2] = [
    Language { name: "javascript", prepare: prepare_javascript, compile: compile_javascript },
    Language { name: "python", prepare: prepare_python, compile: compile_python },
];

/// Each language has both: what is behind its name, the source, and the world.
const KINDS: [(&str, &str, &str); 2] =
    [("", "storage", "storage-plugin"), ("-notifier", "notifier", "notifier-plugin")];

fn sources(language: &str) -> PathBuf {
    root().join("plugins/examples").join(language)
}

/// Builds what has changed into the folder with the components. When nothing
/// has, it takes no time.
pub(crate) fn build(target: &Path, finished: &Path) -> Result<()> {
    for language in LANGUAGES {
        let stamp = finished.join(format!(".built-{}", language.name));
        let start = SystemTime::now();
        if is_fresh(&language, &stamp, finished)? {
            continue;
        }
        let compiler = target.join(language.name);
        let absent = finished.join(format!("no-{}", language.name));
        if let Err(error) = (language.prepare)(&compiler) {
            say(format_args!("the examples in {} are left out: {error:#}", language.name));
            fs::write(&absent, format!("{error:#}\n"))?;
            continue;
        }
        step(&format!("building the examples in {}", language.name), || {
            for (end, source, world) in KINDS {
                let component = format!("example-{}{end}.wasm", language.name);
                let made = compiler.join(&component);
                (language.compile)(&compiler, source, world, &made)?;
                place(&made, &finished.join(component))?;
            }
            Ok(())
        })?;
        if absent.exists() {
            fs::remove_file(absent)?;
        }
        fs::File::create(&stamp)?.set_modified(start).context("marking the examples as new")?;
    }
    Ok(())
}

fn is_fresh(language: &Language, stamp: &Path, finished: &Path) -> Result<bool> {
    let Ok(built) = fs::metadata(stamp).and_then(|facts| facts.modified()) else {
        return Ok(false);
    };
    let there = |end: &str| finished.join(format!("example-{}{end}.wasm", language.name)).exists();
    let changed = youngest(&sources(language.name))?.max(youngest(&root().join("wit"))?);
    Ok(changed < built && KINDS.iter().all(|(end, ..)| there(end)))
}

/// Whether what was installed came from another list of packages than this one.
fn is_another(list: &Path, noted: &Path) -> bool {
    fs::read(list).ok() != fs::read(noted).ok()
}

fn prepare_javascript(compiler: &Path) -> Result<()> {
    let source = sources("javascript");
    // npm writes this when it has finished.
    let done = compiler.join("node_modules/.package-lock.json");
    let noted = compiler.join("package-lock.json");
    if !is_another(&source.join("package-lock.json"), &noted) && done.exists() {
        return Ok(());
    }
    if !installed("node") || !installed("npm") {
        apt::install(&["nodejs", "npm"])?;
    }
    ensure!(node_version()? >= 20, "the compiler for JavaScript needs node 20 or a newer one");
    if compiler.exists() {
        fs::remove_dir_all(compiler)?;
    }
    fs::create_dir_all(compiler)?;
    for file in ["package.json", ".npmrc", "package-lock.json"] {
        fs::copy(source.join(file), compiler.join(file)).context(file)?;
    }
    step("npm ci, for the compiler for JavaScript", || {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        must(npm.current_dir(compiler).stdin(Stdio::null()).stdout(Stdio::null()))
    })
}

/// The first number of what `node --version` says.
fn node_version() -> Result<u32> {
    let output = Command::new("node").arg("--version").output().context("node")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major =
        text.trim().trim_start_matches('v').split('.').next().and_then(|it| it.parse().ok());
    major.with_context(|| format!("{text:?} is no version of node"))
}

fn compile_javascript(compiler: &Path, source: &str, world: &str, output: &Path) -> Result<()> {
    // Node looks for packages beside the file that asks for them.
    fs::copy(sources("javascript").join("build.mjs"), compiler.join("build.mjs"))?;
    let mut node = Command::new("node");
    node.arg("build.mjs").arg(sources("javascript").join(format!("{source}.js"))).arg(world);
    node.arg(output).arg(root().join("wit")).current_dir(compiler).stdin(Stdio::null());
    must(&mut node)
}

fn prepare_python(compiler: &Path) -> Result<()> {
    let (wanted, noted) =
        (sources("python").join("requirements.txt"), compiler.join("requirements.txt"));
    if !is_another(&wanted, &noted) {
        return Ok(());
    }
    if !installed("python3") {
        apt::install(&["python3", "python3-venv"])?;
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(compiler).stdin(Stdio::null());
    let made = venv.output().context("python3")?;
    if !made.status.success() {
        // Debian keeps what it needs in a package of its own.
        apt::install(&["python3-venv"])?;
        must(&mut venv)?;
    }
    step("pip install, for the compiler for Python", || {
        let mut pip = Command::new(compiler.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
        must(pip.args(["--only-binary=:all:", "-r"]).arg(&wanted).stdin(Stdio::null()))
    })?;
    // Last, so that half of it is never taken for all of it.
    fs::copy(&wanted, &noted).map(|_| ()).context("noting what was installed")
}

fn compile_python(compiler: &Path, source: &str, world: &str, output: &Path) -> Result<()> {
    // Python leaves its own files beside the sources, which would look changed.
    let copies = compiler.join("source");
    fs::create_dir_all(&copies)?;
    for file in ["web.py".to_owned(), format!("{source}.py")] {
        fs::copy(sources("python").join(&file), copies.join(&file)).context(file)?;
    }
    let mut python = Command::new(compiler.join("bin/componentize-py"));
    python.arg("--quiet").arg("-d").arg(root().join("wit")).args(["-w", world, "componentize"]);
    python.arg("-p").arg(copies).arg(source).arg("-o").arg(output).stdin(Stdio::null());
    must(&mut python)
}
