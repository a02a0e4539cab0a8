//! What a call leaves that a limit of memory or computing has stopped.

use std::time::Duration;

use cofferdam_runtime::{BackupFacts, CallError, LimitBroken, Limits, Usage};

use super::{
    content::Content,
    facts,
    report::{Fault, Finding, broken},
    stand::told,
    storage::{BROKEN_OFF, Stored},
};

/// The step in which memories grow.
const PAGE: u64 = 64 << 10;

impl Stored<'_> {
    /// Stores a file that nothing stops, to see what that takes; then with less
    /// memory, and with less computing, until each has stopped a call.
    pub(super) async fn bounded(&self) -> Finding {
        let content = Content::new(5, BROKEN_OFF);
        let facts = facts::backup(&content);
        let needed = self.within(Limits::default(), &facts, content).await?;
        let Some(usage) = needed else { return broken("it does not end within the limits") };

        let memory_bytes = usage.memory_bytes.saturating_sub(PAGE);
        let less = Limits { memory_bytes, ..Limits::default() };
        let memory = self.within(less, &facts, content).await?.is_none();
        let mut computing = false;
        // The largest that is too little stops it furthest on its way.
        for part in [4, 16, 64, u32::MAX] {
            let cpu = (usage.cpu / part).max(Duration::from_nanos(1));
            let less = Limits { cpu, ..Limits::default() };
            if self.within(less, &facts, content).await?.is_none() {
                computing = true;
                break;
            }
        }
        self.within(Limits::default(), &facts, content).await?;
        let said = match (memory, computing) {
            (true, true) => "stopped by a limit of memory, and by one of computing",
            (true, false) => "stopped by a limit of memory; no limit of computing was too small",
            (false, true) => "stopped by a limit of computing; it needed less memory than before",
            (false, false) => "no limit was too small",
        };
        Ok(format!("{said}; the next attempt succeeded"))
    }

    /// Stores a file within these limits, and removes it; nothing where one of them
    /// has stopped the call, and nothing of the file was left.
    async fn within(
        &self,
        limits: Limits,
        facts: &BackupFacts,
        content: Content,
    ) -> Result<Option<Usage>, Fault> {
        let mut call = self.stand.moving(self.settings);
        call.limits = Limits { idle: call.limits.idle, ..limits };
        match self.stand.store(call, facts, content).await {
            (Ok(receipt), usage) => match self.stand.remove(self.settings, &receipt.location).await
            {
                Ok(()) => Ok(Some(usage)),
                Err(error) => broken(told(&error)),
            },
            (Err(CallError::Limit(LimitBroken::Memory(_) | LimitBroken::Cpu(_))), _) => {
                self.nothing_left(facts).await?;
                Ok(None)
            }
            (Err(error), _) => broken(told(&error)),
        }
    }
}
