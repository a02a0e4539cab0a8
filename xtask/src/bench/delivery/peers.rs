//! The programs that people send files with.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use super::{ACCESS_KEY, BUCKET, SECRET_KEY, Sample};
use crate::{
    bench::pipeline::{self, Measured},
    servers,
};

/// Signs URLs: one for each line `KEY CHECKSUM`.
const PRESIGN: &str = "
import boto3, botocore.config, sys
client = boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1',
    aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3],
    config=botocore.config.Config(signature_version='s3v4', s3={'addressing_style': 'path'},
        request_checksum_calculation='when_required'))
more = {'ChecksumSHA256': sys.argv[6]} if sys.argv[6] else {}
print(client.generate_presigned_url('put_object', Params={'Bucket': sys.argv[4], 'Key': sys.argv[5], **more}))
";

/// curl and rclone, before one service.
pub(super) struct Peers<'a> {
    sample: &'a Sample,
    endpoint: String,
    checksum: String,
}

/// Who they are, for the table's head.
pub(super) fn versions() -> Result<String> {
    let first = |program: &str, option: &str| -> Result<String> {
        let output = Command::new(program).arg(option).stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<_> = text.split_whitespace().take(2).collect();
        Ok(words.join(" "))
    };
    Ok(format!("{}, {}", first("curl", "--version")?, first("rclone", "version")?))
}

impl<'a> Peers<'a> {
    pub(super) fn new(sample: &'a Sample, port: u16) -> Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", "printf %s \"$1\" | tr a-f A-F | basenc --base16 -d | base64 -w0", "sh"]);
        let output = shell.arg(&sample.sha256).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let checksum = String::from_utf8(output.stdout)?;
        let endpoint = format!("http://127.0.0.1:{port}");
        Ok(Self { sample, endpoint, checksum })
    }

    /// A URL that this key may be put to.
    pub(super) fn presigned(&self, key: &str, sum: bool) -> Result<String> {
        let mut python = Command::new(servers::python()?);
        python.args(["-c", PRESIGN, &self.endpoint, ACCESS_KEY, SECRET_KEY, BUCKET, key]);
        let output =
            python.arg(if sum { &self.checksum } else { "" }).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// curl, which sends what it is told to and checks nothing.
    pub(super) fn curl(&self, key: &str, sum: bool) -> Result<Measured> {
        let url = self.presigned(key, sum)?;
        let header = if sum {
            format!("-H 'x-amz-checksum-sha256: {}'", self.checksum)
        } else {
            String::new()
        };
        self.run(&format!("curl -sSf {header} -T \"$FILE\" \"$URL\""), &[("URL", url)])
    }

    /// rclone, in one request or with its own defaults, in parts.
    pub(super) fn rclone(&self, key: &str, whole: bool) -> Result<Measured> {
        let cutoff = if whole { "--s3-upload-cutoff 5G" } else { "" };
        let script = format!(
            "env -u AWS_CA_BUNDLE rclone --config /dev/null copyto \"$FILE\" \":s3:{BUCKET}/{key}\" --s3-provider Other \
             --s3-no-check-bucket --ignore-times --retries 1 --low-level-retries 1 {cutoff}"
        );
        let environment = [
            ("RCLONE_S3_ENDPOINT", self.endpoint.clone()),
            ("RCLONE_S3_REGION", "us-east-1".to_owned()),
            ("RCLONE_S3_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("RCLONE_S3_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
        ];
        self.run(&script, &environment)
    }

    fn run(&self, script: &str, environment: &[(&str, String)]) -> Result<Measured> {
        let file = self.sample.path.to_str().context("a path in UTF-8")?.to_owned();
        let mut all = vec![("FILE", file)];
        all.extend(environment.iter().cloned());
        let nothing = Path::new("/nonexistent/out");
        let measured = pipeline::run(script, nothing, &all)?;
        Ok(Measured { bytes: self.sample.bytes, ..measured })
    }
}
