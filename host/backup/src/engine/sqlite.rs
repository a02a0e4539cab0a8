//! SQLite, in this process.
use super::*;
use cofferdam_model::SqliteConnection;
pub(super) struct Sqlite;
pub(super) fn no_custom_format() -> Failure {
    unimplemented!()
}
impl Sqlite {
    pub(super) fn open(_: &SqliteConnection) -> Self {
        Self
    }
}
impl Engine for Sqlite {
    fn survey(&self, _: &Control) -> Result<Survey, Failure> {
        unimplemented!()
    }
    fn facts(&self, _: &Survey, _: &Control) -> Result<SourceFacts, Failure> {
        unimplemented!()
    }
    fn dump(&self, _: &Job<'_>, _: &mut TempArtifact) -> Result<Dumped, Failure> {
        unimplemented!()
    }
    fn what_holds_it(&self, _: &Control) -> Option<String> {
        None
    }
    fn clear_up(&self, _: Journal<'_>) {}
}
