//! Components of plugins: what was seen, and what an administrator lets each
//! of them touch. Approval belongs to the hash of a file and to nothing else.

use cofferdam_model::{ComponentHash, Grants, PluginId, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};

use crate::{
    Catalog, Error, Result, Tx,
    cells::{Cells, ms, to_json},
};

/// A component, as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct NewComponent {
    /// Of its file.
    pub hash: ComponentHash,
    /// Which plugin it is a version of.
    pub plugin: PluginId,
    /// Its name for people.
    pub name: String,
    /// Its version, in its own words.
    pub version: String,
    /// What else it says of itself, what it exports and imports.
    pub description: serde_json::Value,
    /// The name of its file in the plugin folder, or in the program.
    pub file: String,
    /// Whether the program carries it.
    pub bundled: bool,
}

/// A component that was seen at least once; it may be gone by now.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// As it was seen.
    pub seen: NewComponent,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// Who approved it, and when. Without it nothing of it runs but its
    /// description.
    pub approved: Option<(String, Timestamp)>,
    /// What it may touch. Nothing while it is not approved.
    pub grants: Grants,
}

const SELECT: &str = "SELECT hash, plugin_id, name, version, description, file, bundled, \
 first_seen_at, approved_at, approved_by, grants FROM components";

fn component(row: &AnyRow) -> Result<Component> {
    let cells = Cells::new("components", row);
    Ok(Component {
        seen: NewComponent {
            hash: cells.parse("hash")?,
            plugin: cells.parse("plugin_id")?,
            name: cells.text("name")?,
            version: cells.text("version")?,
            description: cells.json("description")?,
            file: cells.text("file")?,
            bundled: cells.flag("bundled")?,
        },
        first_seen_at: cells.time("first_seen_at")?,
        approved: cells.opt_text("approved_by")?.zip(cells.opt_time("approved_at")?),
        grants: cells.json("grants")?,
    })
}

async fn by_hash(conn: &mut AnyConnection, hash: &ComponentHash) -> Result<Option<Component>> {
    let sql = AssertSqlSafe(format!("{SELECT} WHERE hash = $1"));
    let row = sqlx::query(sql).bind(hash.as_str()).fetch_optional(conn).await?;
    row.as_ref().map(component).transpose()
}

impl Catalog {
    /// The component with this hash.
    pub async fn component(&self, hash: &ComponentHash) -> Result<Option<Component>> {
        by_hash(&mut *self.reader().await?, hash).await
    }

    /// The approved components of all plugins with what they may touch, the
    /// one approved last first.
    pub async fn approved_components(&self) -> Result<Vec<(PluginId, ComponentHash, Grants)>> {
        let rows = sqlx::query(
            "SELECT plugin_id, hash, grants FROM components WHERE approved_at IS NOT NULL \
             ORDER BY approved_at DESC, first_seen_at DESC",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let one = |row| {
            let cells = Cells::new("components", row);
            Ok((cells.parse("plugin_id")?, cells.parse("hash")?, cells.json("grants")?))
        };
        rows.iter().map(one).collect()
    }

    /// All components that were ever seen: by plugin, the last approved first.
    pub async fn components(&self) -> Result<Vec<Component>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} ORDER BY plugin_id, coalesce(approved_at, 0) DESC, first_seen_at DESC"
        ));
        let rows = sqlx::query(sql).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(component).collect()
    }
}

impl Tx {
    /// The component with this hash, as this transaction sees it.
    pub async fn component(&mut self, hash: &ComponentHash) -> Result<Option<Component>> {
        by_hash(self.conn(), hash).await
    }

    /// The components of one plugin, the last approved first, as this transaction sees them.
    pub async fn components_of(&mut self, plugin: &PluginId) -> Result<Vec<Component>> {
        let sql = AssertSqlSafe(format!(
            "{SELECT} WHERE plugin_id = $1 ORDER BY coalesce(approved_at, 0) DESC, first_seen_at DESC"
        ));
        let rows = sqlx::query(sql).bind(plugin.as_str()).fetch_all(self.conn()).await?;
        rows.iter().map(component).collect()
    }

    /// Notes that a component is there, and says whether it was never seen
    /// before. A new one is not approved, whatever its plugin was granted before.
    pub async fn see_component(&mut self, seen: &NewComponent, now: Timestamp) -> Result<bool> {
        let is_new = self.component(&seen.hash).await?.is_none();
        sqlx::query(
            "INSERT INTO components (hash, plugin_id, name, version, description, file, bundled, \
             first_seen_at, grants) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{}') \
             ON CONFLICT (hash) DO UPDATE SET name = excluded.name, version = excluded.version, \
             description = excluded.description, file = excluded.file, bundled = excluded.bundled",
        )
        .bind(seen.hash.as_str())
        .bind(seen.plugin.as_str())
        .bind(&seen.name)
        .bind(&seen.version)
        .bind(to_json(&seen.description)?)
        .bind(&seen.file)
        .bind(i64::from(seen.bundled))
        .bind(ms(now))
        .execute(self.conn())
        .await?;
        Ok(is_new)
    }

    /// Approves a component with these grants, in place of those it had.
    pub async fn approve_component(
        &mut self,
        hash: &ComponentHash,
        by: &str,
        grants: &Grants,
        now: Timestamp,
    ) -> Result<()> {
        let done = sqlx::query(
            "UPDATE components SET approved_at = $2, approved_by = $3, grants = $4 WHERE hash = $1",
        )
        .bind(hash.as_str())
        .bind(ms(now))
        .bind(by)
        .bind(to_json(grants)?)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("plugin")) }
    }

    /// Changes what an approved component may touch. Which of several approved
    /// ones runs stays as it is.
    pub async fn set_grants(&mut self, hash: &ComponentHash, grants: &Grants) -> Result<()> {
        let done = sqlx::query(
            "UPDATE components SET grants = $2 WHERE hash = $1 AND approved_at IS NOT NULL",
        )
        .bind(hash.as_str())
        .bind(to_json(grants)?)
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(Error::Conflict("the plugin is not approved".to_owned()))
    }

    /// Forgets components that are not approved, were first seen before this
    /// moment, and are not among those that are there. What the program carried
    /// is kept: whether it was revoked decides about the next one. Says how many.
    pub async fn forget_components(
        &mut self,
        there: &[ComponentHash],
        before: Timestamp,
    ) -> Result<u64> {
        let rows = sqlx::query(
            "SELECT hash FROM components \
             WHERE approved_at IS NULL AND bundled = 0 AND first_seen_at < $1",
        )
        .bind(ms(before))
        .fetch_all(self.conn())
        .await?;
        let mut gone = 0;
        for row in &rows {
            let hash: ComponentHash = Cells::new("components", row).parse("hash")?;
            if there.contains(&hash) {
                continue;
            }
            sqlx::query("DELETE FROM components WHERE hash = $1")
                .bind(hash.as_str())
                .execute(self.conn())
                .await?;
            gone += 1;
        }
        Ok(gone)
    }

    /// Takes approval and grants back.
    pub async fn revoke_component(&mut self, hash: &ComponentHash) -> Result<()> {
        let done = sqlx::query(
            "UPDATE components SET approved_at = NULL, approved_by = NULL, grants = '{}' \
             WHERE hash = $1 AND approved_at IS NOT NULL",
        )
        .bind(hash.as_str())
        .execute(self.conn())
        .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        match self.component(hash).await? {
            None => Err(Error::NotFound("plugin")),
            Some(_) => Err(Error::Conflict("the plugin is not approved".to_owned())),
        }
    }
}
