//! The way of log lines to standard error. Whoever writes a line never waits: when nobody takes what is written, a bounded number of
//! lines waits and the rest are dropped and counted.
//!
//! What can be behind standard error is a pipe to a collector that stands still, or a disk that is full. Either would otherwise stop
//! every task that has something to say.

use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait for standard error; beyond, a line is dropped.
const LINES: usize = 1_024;
/// Bytes of one line; the rest of a longer one is cut off in text, and in JSON the line is dropped, for half of it is none.
const LINE_BYTES: usize = 16 * 1024;
/// How long the end of the process waits for lines that were not written yet.
const FAREWELL: Duration = Duration::from_secs(1);

/// Lines dropped by this process. Its log is one, whatever the number of servers in it.
pub static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

enum Order {
    Write(Vec<u8>),
    /// Say so when everything before this is written.
    Tell(SyncSender<()>),
}

/// Where lines are given to. Clones give to the same.
#[derive(Clone)]
pub struct Lines {
    queue: SyncSender<Order>,
    json: bool,
}

impl Lines {
    /// Lines for this output, which a thread of its own writes to. `json`: each line is a JSON document.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn to(output: impl Write + Send + 'static, json: bool) -> io::Result<Self> {
        let (queue, orders) = sync_channel(LINES);
        // A thread, not a blocking task: the runtime waits for those when it ends, and this one may wait for ever.
        std::thread::Builder::new().name("log".into()).spawn(move || write_all(&orders, output))?;
        Ok(Self { queue, json })
    }

    /// Waits until what was given is written, but not for long.
    pub fn flush(&self) {
        let (tell, told) = sync_channel(1);
        // Nobody to give it to, or no room for it: then there is nothing to wait for either.
        if self.queue.try_send(Order::Tell(tell)).is_ok() {
            let _ = told.recv_timeout(FAREWELL);
        }
    }

    fn give(&self, mut line: Vec<u8>) {
        if self.json {
            if line.len() > LINE_BYTES {
                DROPPED.inc();
                return;
            }
            line = escaped(line);
        } else {
            line.truncate(LINE_BYTES);
        }
        if self.queue.try_send(Order::Write(line)).is_err() {
            DROPPED.inc();
        }
    }
}

fn write_all(orders: &Receiver<Order>, mut output: impl Write) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Write(line) => {
                if output.write_all(&line).and_then(|()| output.flush()).is_err() {
                    DROPPED.inc();
                }
            }
            Order::Tell(tell) => drop(tell.try_send(())),
        }
    }
}

/// JSON leaves some control characters as they are, and terminals obey them: written as escapes, they mean the same to a reader of
/// JSON and nothing to a terminal. Outside of strings JSON has none but the line's own end.
fn escaped(line: Vec<u8>) -> Vec<u8> {
    let Ok(text) = str::from_utf8(&line) else { return line };
    let wild = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{2028}' | '\u{2029}');
    if !text.contains(wild) {
        return line;
    }
    let mut tame = Vec::with_capacity(line.len() + 16);
    for c in text.chars() {
        if wild(c) {
            tame.extend(format!("\\u{:04x}", u32::from(c)).into_bytes());
        } else {
            tame.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    tame
}

/// One line that is being written. It is given away when it is whole, that is, when this is dropped.
pub struct Line<'a> {
    lines: &'a Lines,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            self.lines.give(std::mem::take(&mut self.text));
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: self, text: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::sync::{Arc, Mutex};

    use super::*;

    fn say(lines: &Lines, text: &str) {
        lines.make_writer().write_all(text.as_bytes()).expect("never fails");
    }

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("whole").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Takes nothing until the other end of the channel is gone.
    struct Stuck(mpsc::Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_come_whole_and_in_order() {
        let memory = Memory::default();
        let lines = Lines::to(memory.clone(), false).expect("a thread");
        (0..100).for_each(|number| say(&lines, &format!("line {number}\n")));
        lines.flush();
        let expected: String = (0..100).map(|number| format!("line {number}\n")).collect();
        assert_eq!(String::from_utf8(memory.0.lock().expect("whole").clone()).expect("text"), expected);
    }

    #[test]
    fn nobody_waits_for_an_output_that_takes_nothing_and_what_is_lost_is_counted() {
        let (free, stuck) = mpsc::channel();
        let lines = Lines::to(Stuck(stuck), false).expect("a thread");
        let before = DROPPED.get();
        // One is with the thread, and as many as there is room for wait.
        (0..LINES + 101).for_each(|_| say(&lines, "a line\n"));
        assert!(DROPPED.get() >= before + 100);
        drop(free);
    }

    #[test]
    fn what_a_terminal_would_obey_is_an_escape_in_json_and_means_the_same() {
        let said = "\u{1b}[31m \u{9b}31m \u{7f} \u{85} \u{2028} é €";
        let line = serde_json::to_string(said).expect("JSON") + "\n";
        let tame = String::from_utf8(escaped(line.into_bytes())).expect("text");
        assert!(!tame.trim_end().contains(char::is_control), "{tame:?}");
        assert_eq!(tame.lines().count(), 1);
        assert_eq!(serde_json::from_str::<String>(&tame).expect("JSON"), said);
    }
}
