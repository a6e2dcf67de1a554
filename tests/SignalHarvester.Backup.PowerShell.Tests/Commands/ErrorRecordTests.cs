using System.Management.Automation;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Every error has its own stable id, a fitting category, the item as target, and says what to do.</summary>
public partial class ErrorRecordTests
{
    private static readonly DatabaseShape Journal = new() { Rows = 20, JournalMode = JournalMode.Delete };

    // Ids that no single pipeline can produce, and where else they are tested.
    private const string Providers = "takes a provider's server: the tests of the object stores";

    private const string Protection = "takes a process that protects: DatabaseProtectionTests of the engine";

    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        [BackupErrorId.ScheduleInvalid] = "takes a broken file among the schedules, which would be in every other test's way: ScheduleToolTests",
        [BackupErrorId.ScheduleStepFailed] = "takes a fault of ours: StepRecorderTests of the engine",
        [BackupErrorId.SnapshotLost] = "takes read-only media that somebody else writes to, at every attempt: SnapshotLostTests of the engine",
        [BackupErrorId.ModuleLoadedTwice] = "takes a second copy of the module: ImportTests",
        [BackupErrorId.SqliteTooOld] = "takes a process of its own, with an old SQLite in it: OldSqliteTests",
        [BackupErrorId.SourceNeedsRecovery] = "takes read-only media: SourceErrorTests of the engine, and ReadOnlyTests of the host on a real mount",
        [BackupErrorId.DirectoryLocked] = "takes a minute of waiting: DirectoryLockTests of the engine, which bring their own patience",
        [BackupErrorId.EncryptionUnavailable] = "takes a process of its own, with an OpenSSL without ChaCha20-Poly1305: NoCipherTests",
        [BackupErrorId.CloudAccessDenied] = Providers,
        [BackupErrorId.CloudClockSkew] = Providers,
        [BackupErrorId.CloudObjectChanged] = Providers,
        [BackupErrorId.CloudRegionWrong] = Providers,
        [BackupErrorId.CloudTlsFailed] = Providers,
        [BackupErrorId.CloudTransferInProgress] = "takes two transfers at once: the conformance suite of the object stores",
        [BackupErrorId.CloudUnavailable] = Providers,
        [BackupErrorId.CloudUploadLost] = Providers,
        [BackupErrorId.CloudObjectKept] = "takes a store that says yes and keeps the object: RemovedObjectTests of the object stores",
        [BackupErrorId.StoreUnconditional] = "takes a store that ignores a condition: the conformance suite of the object stores",
        [BackupErrorId.StreamHole] = "takes a stream with a hole: StreamRestoreTests of the engine",
        [BackupErrorId.ProtectionRefused] = Protection,
        [BackupErrorId.ProtectionRunning] = Protection,
        [BackupErrorId.StandbyChanged] = "takes a stream and a process that follows it: StandbyFollowerTests of the engine",
        [BackupErrorId.StandbyRunning] = "takes a stream and a process that follows it: StandbyFollowerTests of the engine",
        [BackupErrorId.StreamBehind] = Protection,
        [BackupErrorId.StreamFenced] = Protection,
        [BackupErrorId.StreamNotOurs] = Protection,
        [BackupErrorId.CloudCredentialsMissing] = Providers,
        [BackupErrorId.CloudRefused] = Providers,
        [BackupErrorId.RestoreVerificationFailed] = "takes a disk that loses what was written, between two steps: RestoreCheckTests of the engine",
    };

    private const string Place = "-Provider Directory -Container ./offsite";

    // The id and, if there are several ways to it, the way. Arrange returns the script and its error's target.
    private static readonly Dictionary<string, (ErrorCategory Category, Func<Workspace, (string Script, object Target)> Arrange)> Cases = new()
    {
        ["SourceNotFound"] = (ErrorCategory.ObjectNotFound, w => ("New-SHBackup missing.db", w["missing.db"])),
        ["StandbyNotFound"] = (ErrorCategory.ObjectNotFound, w => ("Restore-SHBackup -Promote -Destination ./app.db -From ./offsite -Force", w.Database)),
        ["SourceNotFound: wildcard"] = (ErrorCategory.ObjectNotFound, _ => ("New-SHBackup missing*.db", "missing*.db")),
        ["SourceNotFound: dangling link"] = (ErrorCategory.ObjectNotFound, w =>
        {
            File.CreateSymbolicLink(w["link.db"], w["gone.db"]);
            return ("New-SHBackup link.db", w["link.db"]);
        }
        ),
        ["SourceUnreadable"] = (ErrorCategory.PermissionDenied, w =>
        {
            Deny(w.Database, UnixFileMode.None);
            return ("New-SHBackup app.db", w.Database);
        }
        ),
        ["SourceIsDirectory"] = (ErrorCategory.InvalidArgument, w => ("New-SHBackup ./backups", w.Backups)),
        ["SourceIsNotAFile"] = (ErrorCategory.InvalidArgument, _ =>
        {
            Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no device files");
            return ("New-SHBackup /dev/null", "/dev/null");
        }
        ),
        ["DatabaseHasOtherNames"] = (ErrorCategory.InvalidOperation, w =>
        {
            Assert.SkipWhen(OperatingSystem.IsWindows(), "the names of a file are asked for on Unix alone");
            Databases.CreateWithLeftWal(w["other.db"]);
            Tool.Require("ln").Run(w["other.db"], w["alias.db"]).EnsureSuccess();
            return ("New-SHBackup ./alias.db", w["alias.db"]);
        }
        ),
        ["DatabaseOpenInProcess"] = (ErrorCategory.ResourceBusy, w =>
        {
            Assert.SkipWhen(OperatingSystem.IsWindows(), "closing a file drops no locks of others on Windows");
            return ("New-SHBackup ./app.db", w.Database);
        }
        ),
        ["SourceEmpty"] = (ErrorCategory.InvalidData, w => Source(w, [])),
        ["SourceNotSqlite"] = (ErrorCategory.InvalidData, w => Source(w, "This is a text and no database, however long it may be."u8.ToArray())),
        ["SourceEncrypted"] = (ErrorCategory.InvalidData, w => Source(w, RandomNumberGenerator.GetBytes(16384))),
        ["IdentityMissing"] = (ErrorCategory.AuthenticationError, w => Encrypted(w, "")),
        ["IdentityWrong"] = (ErrorCategory.AuthenticationError, w => Encrypted(w, "-IdentityFile (New-SHBackupKey ./other.key).Path")),
        ["IdentityInvalid"] = (ErrorCategory.InvalidArgument, w =>
        {
            File.WriteAllText(w["no.key"], "no key");
            return ("Test-SHBackup backup_20261122_020000_123456 -IdentityFile ./no.key", w["no.key"]);
        }
        ),
        ["IdentityFileExists"] = (ErrorCategory.ResourceExists, w => ("New-SHBackupKey ./app.db", w.Database)),
        ["ComparisonFailed"] = (ErrorCategory.InvalidOperation, w =>
        {
            File.WriteAllBytes(w["other.db"], []);
            using var connection = Databases.Open(w["other.db"]);
            Databases.Execute(connection, "PRAGMA encoding = 'UTF-16'; CREATE TABLE t(x)");
            var id = w.MakeBackup().Id;
            return ($"Compare-SHBackup {id} -Database ./other.db", id);
        }
        ),
        ["TableNotFound"] = (ErrorCategory.ObjectNotFound, w => ($"Restore-SHBackup {w.MakeBackup().Id} -Table nonsense -Into ./app.db -Force", "nonsense")),
        ["RowsNotRestored"] = (ErrorCategory.InvalidOperation, w =>
        {
            w.Change();
            var id = w.MakeBackup().Id;
            using var connection = Databases.Open(w.Database);
            Databases.Execute(connection, "ALTER TABLE bulk DROP COLUMN content");
            return ($"Restore-SHBackup {id} -Table bulk -Into ./app.db -Force", "bulk");
        }
        ),
        ["RestoreDrillFailed"] = (ErrorCategory.InvalidResult, w =>
        {
            var backup = w.MakeBackup();
            Workspace.FlipByte(backup.BackupPath);
            return ("Invoke-SHRestoreDrill -Newest", backup.Id);
        }
        ),
        ["RecipientInvalid"] = (ErrorCategory.InvalidArgument, _ => ("New-SHBackup app.db -Recipient age1mistyped", "age1mistyped")),
        ["RecipientInvalid: nobody"] = (ErrorCategory.InvalidArgument, _ => ("Protect-SHBackup backup_20261122_020000_123456", "Recipient")),
        ["BackupNotEncrypted"] = (ErrorCategory.InvalidOperation, w =>
        {
            var id = w.MakeBackup().Id;
            return ($"Protect-SHBackup {id} -Recipient (New-SHBackupKey ./new.key)", id);
        }
        ),
        ["SourceTruncated"] = (ErrorCategory.InvalidData, w =>
        {
            var whole = File.ReadAllBytes(Databases.Create(w["whole.db"], Journal));
            return Source(w, whole[..(whole.Length / 2)]);
        }
        ),
        ["SourceCorrupt"] = (ErrorCategory.InvalidData, w =>
        {
            Workspace.Damage(w.Database);
            return ("New-SHBackup app.db", w.Database);
        }
        ),
        ["SourceLocked"] = (ErrorCategory.ResourceBusy, w => ("New-SHBackup held.db -LockTimeout 0", Databases.Create(w["held.db"], Journal))),
        ["DirectoryNotFound"] = (ErrorCategory.ObjectNotFound, w => ("Get-SHBackup -BackupDirectory ./missing", w["missing"])),
        ["DirectoryNotFound: file"] = (ErrorCategory.ObjectNotFound, w => ("Get-SHBackup -BackupDirectory ./app.db", w.Database)),
        ["DirectoryUnreadable"] = (ErrorCategory.PermissionDenied, w =>
        {
            var folder = Directory.CreateDirectory(w["sealed"]).FullName;
            Deny(folder, UnixFileMode.None);
            return ("Get-SHBackup -BackupDirectory ./sealed", folder);
        }
        ),
        ["DirectoryNotWritable"] = (ErrorCategory.PermissionDenied, _ =>
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), "takes a folder that nobody, root included, may write to: Linux has /sys");
            return ("New-SHBackup app.db -BackupDirectory /sys/shbackup", "/sys/shbackup");
        }
        ),
        ["WriteFailed"] = (ErrorCategory.WriteError, w => ("New-SHBackup app.db -BackupDirectory ./app.db/backups", Path.Combine(w.Database, "backups"))),
        ["InsufficientSpace"] = (ErrorCategory.ResourceUnavailable, w =>
        {
            // A sparse file of 4 TiB: SQLite believes the page count in the header.
            using var file = File.Open(Databases.Create(w["huge.db"], Journal with { PageSize = 65536 }), FileMode.Open);
            file.SetLength(4L << 40);
            file.Position = 28;
            file.Write([0x04, 0, 0, 0]);
            return ("New-SHBackup huge.db", w.Backups);
        }
        ),
        ["InvalidArgument"] = (ErrorCategory.InvalidArgument, _ => ("New-SHBackup app.db -CompressionLevel 99", 99)),
        ["InvalidArgument: age below zero"] = (ErrorCategory.InvalidArgument, _ => ("Invoke-SHBackupRetention -KeepWithin ([timespan]'-1')", "KeepWithin")),
        ["RetentionKeepsNothing"] = (ErrorCategory.InvalidArgument, w =>
        {
            w.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["retention_policy"] = "daily");
            return ("Invoke-SHBackupRetention -KeepDaily 0 -KeepWeekly 0 -KeepMonthly 0 -WhatIf", "RetentionRules");
        }
        ),
        ["BackupNotFound"] = (ErrorCategory.ObjectNotFound, _ => ("Test-SHBackup backup_20200101_000000_000000", "backup_20200101_000000_000000")),
        ["BackupNotFound: no id"] = (ErrorCategory.ObjectNotFound, _ => ("Remove-SHBackup ../app -Force", "../app")),
        ["BackupFileMissing"] = (ErrorCategory.ObjectNotFound, w => Stored(w, (_, file) => File.Delete(file))),
        ["BackupFileMissing: Restore"] = (ErrorCategory.ObjectNotFound, w => Stored(w, (_, file) => File.Delete(file), "Restore-SHBackup {0} ./new.db -Force")),
        ["BackupFileMissing: path"] = (ErrorCategory.ObjectNotFound,
            w => ("Restore-SHBackup -LiteralPath ./missing.db.zst ./new.db -Force", w["missing.db.zst"])),
        ["BackupSizeMismatch"] = (ErrorCategory.InvalidData, w => Stored(w, (_, file) => File.WriteAllBytes(file, File.ReadAllBytes(file)[..^10]))),
        ["BackupChecksumMismatch"] = (ErrorCategory.InvalidData,
            w => Stored(w, (id, _) => w.EditSidecar(id, sidecar => sidecar["checksum"] = new string('0', 64)))),
        ["BackupCorrupt"] = (ErrorCategory.InvalidData, w => Stored(w, (_, file) => Workspace.FlipByte(file))),
        ["BackupIntegrityFailed"] = (ErrorCategory.InvalidData, w =>
        {
            File.WriteAllText(w["junk.db"], "no database, and nothing recorded of it either");
            return ("Test-SHBackup -LiteralPath ./junk.db", "junk.db");
        }
        ),
        ["BackupContentMismatch"] = (ErrorCategory.InvalidData,
            w => Stored(w, (id, _) => w.EditSidecar(id, sidecar => sidecar["row_counts"]!["customer"] = 1))),
        ["ReadFailed"] = (ErrorCategory.ReadError, w =>
        {
            var id = w.AddBackup(TimeSpan.FromDays(1));
            var file = w.FileOf(id);
            File.Delete(file);
            Directory.CreateDirectory(file);
            return ($"Test-SHBackup {id}", file);
        }
        ),
        ["NotABackup"] = (ErrorCategory.InvalidArgument, w => ("Test-SHBackup -LiteralPath ./backups", w.Backups)),
        ["BackupTypeUnsupported"] = (ErrorCategory.InvalidOperation, w => Stored(
            w,
            (id, file) =>
            {
                var wal = file.Replace("_full.db.zst", "_wal.db", StringComparison.Ordinal);
                File.Move(file, wal);
                w.EditSidecar(id, sidecar => (sidecar["backup_path"], sidecar["format_version"]) = (wal, null));
            },
            "Restore-SHBackup {0} ./new.db -Force")),
        ["NotABackup: sidecar"] = (ErrorCategory.InvalidArgument, w =>
        {
            var sidecar = w.SidecarOf(w.MakeBackup().Id);
            return ($"Test-SHBackup -LiteralPath './backups/{Path.GetFileName(sidecar)}'", sidecar);
        }
        ),
        ["BackupHasDependants"] = (ErrorCategory.InvalidOperation, w =>
        {
            var parent = w.MakeBackup().Id;
            w.MakeBackup("-Type Incremental");
            Workspace.FlipByte(w.FileOf(parent));
            return ($"Remove-SHBackup {parent} -Force", parent);
        }
        ),
        ["ChainBroken"] = (ErrorCategory.InvalidData, w =>
        {
            var parent = w.MakeBackup().Id;
            var child = w.MakeBackup("-Type Incremental").Id;
            File.Delete(w.FileOf(parent));
            File.Delete(w.SidecarOf(parent));
            return ($"Restore-SHBackup {child} ./new.db -Force", child);
        }
        ),
        ["ChainBroken: in a circle"] = (ErrorCategory.InvalidData, w =>
        {
            w.MakeBackup();
            var child = w.MakeBackup("-Type Incremental").Id;
            w.EditSidecar(child, sidecar => sidecar["parent_id"] = child);
            return ($"Test-SHBackup {child}", child);
        }
        ),
        ["ParentUnusable"] = (ErrorCategory.InvalidArgument, w =>
        {
            var parent = w.MakeBackup().Id;
            Databases.Create(w["other.db"]);
            return ($"New-SHBackup other.db -Type Incremental -Parent {parent}", parent);
        }
        ),
        ["ParentUnusable: failed"] = (ErrorCategory.InvalidArgument, w =>
        {
            var parent = w.MakeBackup().Id;
            w.EditSidecar(parent, sidecar => sidecar["verified"] = false);
            return ($"New-SHBackup app.db -Type Incremental -Parent {parent}", parent);
        }
        ),
        ["NoBackupAtMoment"] = (ErrorCategory.ObjectNotFound, w =>
        {
            w.MakeBackup();
            return ("Restore-SHBackup -PointInTime '2020-01-01T00:00Z' -Destination new.db -Force", new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero));
        }
        ),
        ["NoBackupAtMoment: none that can be used"] = (ErrorCategory.ObjectNotFound, w =>
        {
            w.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["verified"] = false);
            return ("Restore-SHBackup -PointInTime '2120-01-01T00:00Z' -Destination new.db -Force", new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
        }
        ),
        ["BackupIdTaken"] = (ErrorCategory.ResourceExists, w =>
        {
            var id = w.MakeBackup().Id;
            w.Run($"Send-SHBackup {id} {Place} -CreateContainer").WithoutErrors();
            w.EditSidecar(id, sidecar => sidecar["db_path"] = "/elsewhere/app.db");
            return ($"Receive-SHBackup {id} {Place}", id);
        }
        ),
        ["CloudContainerNotFound"] = (ErrorCategory.ObjectNotFound, w => ($"Get-SHBackup -Remote {Place}", new Uri(w["offsite"]).AbsoluteUri)),
        ["CloudContainerNotFound: query"] = (ErrorCategory.ObjectNotFound,
            w => ("Invoke-SHBackupQuery 'SELECT 1' -From ./offsite", new Uri(w["offsite"]).AbsoluteUri)),
        ["CloudContainerNotFound: search"] = (ErrorCategory.ObjectNotFound,
            w => ("Find-SHBackup 'SELECT 1' -From ./offsite", new Uri(w["offsite"]).AbsoluteUri)),
        ["TransactionNotFound"] = (ErrorCategory.ObjectNotFound, w =>
        {
            w.MakeBackup();
            w.Run($"Get-SHBackup | Send-SHBackup {Place} -CreateContainer").WithoutErrors();
            return ("Get-SHBackupTransaction -From ./offsite", new Uri(w["offsite"]).AbsoluteUri);
        }
        ),
        ["TransactionNotFound: restore"] = (ErrorCategory.ObjectNotFound, w =>
        {
            w.MakeBackup();
            w.Run($"Get-SHBackup | Send-SHBackup {Place} -CreateContainer").WithoutErrors();
            return ("Restore-SHBackup -Transaction 7 -From ./offsite -Destination ./new.db", 7L);
        }
        ),
        ["CloudObjectExists"] = (ErrorCategory.ResourceExists, w =>
        {
            var id = w.MakeBackup().Id;
            w.Run($"Send-SHBackup {id} {Place} -CreateContainer").WithoutErrors();
            w.EditSidecar(id, sidecar => sidecar["db_path"] = "/elsewhere/app.db");
            return ($"Send-SHBackup {id} {Place}", id + ".json");
        }
        ),
        ["CloudObjectNotFound"] = (ErrorCategory.ObjectNotFound, w =>
        {
            var made = w.MakeBackup();
            w.Run($"Send-SHBackup {made.Id} {Place} -CreateContainer").WithoutErrors();
            File.Delete(w["offsite", Path.GetFileName(made.BackupPath)]);
            return ($"Receive-SHBackup {made.Id} {Place} -BackupDirectory ./fetched", Path.GetFileName(made.BackupPath));
        }
        ),
        ["CloudChecksumMismatch"] = (ErrorCategory.InvalidData, w =>
        {
            var made = w.MakeBackup();
            w.Run($"Send-SHBackup {made.Id} {Place} -CreateContainer").WithoutErrors();
            Workspace.FlipByte(w["offsite", Path.GetFileName(made.BackupPath)]);
            return ($"Receive-SHBackup {made.Id} {Place} -BackupDirectory ./fetched", Path.GetFileName(made.BackupPath));
        }
        ),
        ["DatabaseAmbiguous"] = (ErrorCategory.InvalidArgument, w =>
        {
            w.MakeBackup();
            w.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["db_path"] = "/elsewhere/other.db");
            return ("Restore-SHBackup -PointInTime '2120-01-01T00:00Z' -Destination new.db -Force", new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
        }
        ),
        ["QueryFailed"] = (ErrorCategory.InvalidOperation, w => Stored(w, (_, _) => { }, "Invoke-SHBackupQuery 'SELECT 1 FROM absent' -Id {0}")),
        ["QueryFailed: no SQL"] = (ErrorCategory.InvalidOperation, w => ("Invoke-SHBackupQuery 'SELCT 1'", "SELCT 1")),
        ["QueryFailed: in every backup"] = (ErrorCategory.InvalidOperation, w => Stored(w, (_, _) => { }, "Find-SHBackup 'SELECT 1 FROM absent' -Id {0}")),
        ["QueryRefused"] = (ErrorCategory.PermissionDenied, w => Stored(w, (_, _) => { }, "Invoke-SHBackupQuery 'DELETE FROM customer' -Id {0}")),
        ["QueryRefused: without looking"] = (ErrorCategory.PermissionDenied, w => ("Find-SHBackup 'BEGIN'", "BEGIN")),
        ["QueryLimitExceeded"] = (ErrorCategory.ResourceUnavailable, w => Stored(
            w, (_, _) => { }, "Invoke-SHBackupQuery 'SELECT zeroblob(5000000)' -MemoryLimit 16MB -Id {0}")),
        ["InvalidArgument: parameter of a query"] = (ErrorCategory.InvalidArgument, w =>
        {
            w.MakeBackup();
            return ("Invoke-SHBackupQuery 'SELECT :id'", "id");
        }
        ),
        ["InvalidArgument: type of a parameter of a query"] = (ErrorCategory.InvalidArgument, w =>
        {
            w.MakeBackup();
            return ("Find-SHBackup 'SELECT :at' -Parameter @{ at = [datetime]::Now }", "at");
        }
        ),
        ["HistoryUnreadable"] = (ErrorCategory.ReadError, w =>
        {
            var history = Directory.CreateDirectory(Path.Combine(w.Backups, ".shbackup", "history.db")).FullName;
            return ("Get-SHBackupHistory", history);
        }
        ),
        ["MetricPushFailed"] = (ErrorCategory.ConnectionError, _ => ("Export-SHBackupMetric -PushGateway http://127.0.0.1:1", "http://127.0.0.1:1/")),
        ["MetricServerFailed"] = (ErrorCategory.InvalidArgument, _ => ("Start-SHBackupMetricServer -Port 9464 -Address 192.0.2.1", "192.0.2.1:9464")),
        ["InvalidArgument: gateway"] = (ErrorCategory.InvalidArgument, _ => ("Export-SHBackupMetric -PushGateway gateway:9091", "PushGateway")),
        ["DestinationIsDirectory: metrics"] = (ErrorCategory.InvalidArgument, w => ("Export-SHBackupMetric -Path ./backups", w.Backups)),
        ["DestinationInvalid: metrics"] = (ErrorCategory.ObjectNotFound, w => ("Export-SHBackupMetric -Path ./missing/x.prom", w["missing", "x.prom"])),
        ["InvalidArgument: parent of a full backup"] = (ErrorCategory.InvalidArgument,
            _ => ("New-SHBackup app.db -Parent backup_20261122_020000_123456", "backup_20261122_020000_123456")),
        ["ConfigurationNotFound"] = (ErrorCategory.ObjectNotFound, w => ("Get-SHBackup -ConfigurationPath ./missing.yaml", w["missing.yaml"])),
        ["ConfigurationNotFound: none to test"] = (ErrorCategory.ObjectNotFound, _ => ("Test-SHBackupConfiguration", "ConfigurationPath")),
        ["ConfigurationInvalid"] = (ErrorCategory.InvalidData,
            w => ("New-SHBackup ./app.db -BackupDirectory ./backups", w.Configure("app: {backup: {compression: lzma}}"))),
        ["ConfigurationExists"] = (ErrorCategory.ResourceExists, w => ("New-SHBackupConfiguration", w.Configure("app: {}"))),
        ["DatabaseRequired"] = (ErrorCategory.InvalidArgument, _ => ("New-SHBackup", "DatabasePath")),
        ["SidecarInvalid"] = (ErrorCategory.InvalidData, w => Sidecar(w, path => File.WriteAllText(path, "{"))),
        ["SidecarInvalid: size"] = (ErrorCategory.InvalidData, w => Sidecar(w, path => File.WriteAllBytes(path, new byte[5 << 20]))),
        ["SidecarHostile"] = (ErrorCategory.SecurityError, w => Sidecar(w, path => File.WriteAllText(
            path, $$"""{"backup_id":"{{Path.GetFileNameWithoutExtension(path)}}","backup_path":"/etc/passwd","size_bytes":1}"""))),
        ["DestinationRequired"] = (ErrorCategory.InvalidArgument, w => Stored(w, (_, _) => { }, "Restore-SHBackup {0} -Force")),
        ["DestinationIsDirectory"] = (ErrorCategory.InvalidArgument, w => (Restore(w, "./backups"), w.Backups)),
        ["DestinationInvalid"] = (ErrorCategory.ObjectNotFound, w => (Restore(w, "./missing/new.db"), w["missing", "new.db"])),
        ["DestinationInvalid: device"] = (ErrorCategory.InvalidArgument, w =>
        {
            Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no device files");
            return (Restore(w, "/dev/null"), "/dev/null");
        }
        ),
        ["DestinationNotWritable"] = (ErrorCategory.PermissionDenied, w =>
        {
            var folder = Directory.CreateDirectory(w["sealed"]).FullName;
            Deny(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            return (Restore(w, "./sealed/new.db"), Path.Combine(folder, "new.db"));
        }
        ),
        ["DestinationLocked"] = (ErrorCategory.ResourceBusy, w =>
        {
            var target = Databases.Create(w["held.db"], Journal);
            return (Restore(w, "./held.db") + " -LockTimeout 0", target);
        }
        ),
        ["DestinationIsOtherDatabase"] = (ErrorCategory.InvalidOperation, w =>
        {
            using var connection = Databases.Open(w["other.db"]);
            Databases.Execute(connection, "CREATE TABLE zoo(x)");
            return (Restore(w, "./other.db"), w["other.db"]);
        }
        ),
        ["DestinationIsOtherDatabase: by its path"] = (ErrorCategory.InvalidOperation, w =>
        {
            var target = Databases.Create(w["other.db"], Journal);
            w.Run("New-SHBackup ./other.db").WithoutErrors();
            return (Restore(w, "./other.db"), target);
        }
        ),
        ["DestinationPageSizeDiffers"] = (ErrorCategory.InvalidOperation, w =>
        {
            var target = Databases.Create(w["reading.db"], Journal with { JournalMode = JournalMode.Wal, PageSize = 8192 });
            return (Restore(w, "./reading.db") + " -LockTimeout 0", target);
        }
        ),
        ["SafetyBackupFailed"] = (ErrorCategory.WriteError, w =>
        {
            // Neither the backup directory nor the folder beside the target has room.
            var id = w.AddBackup(TimeSpan.FromDays(1));
            File.Copy(w.FileOf(id), w["loose.db.zst"]);
            File.WriteAllText(w["app.db.safety"], "in the way");
            return ("Restore-SHBackup -LiteralPath ./loose.db.zst ./app.db -Force -BackupDirectory ./loose.db.zst/x", w.Database);
        }
        ),
        ["ProtectionNotFound"] = (ErrorCategory.ObjectNotFound, _ => ("Stop-SHBackupProtection 'no such.db'", "no such.db")),
        ["ScheduleNotFound"] = (ErrorCategory.ObjectNotFound, _ => ("Invoke-SHBackupSchedule 'no such'", "no such")),
        ["SchedulerUnavailable"] = (ErrorCategory.ResourceUnavailable, _ => Scheduler("unavailable -Backend Launchd", ScheduleBackend.Launchd)),
        ["SchedulerFailed"] = (ErrorCategory.InvalidOperation, _ => Scheduler("refused -Backend Cron", "crontab")),
    };

    /// <summary>The names of the cases.</summary>
    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_error_has_id_category_target_and_a_next_step(string name)
    {
        using var workspace = new Workspace();
        var (category, arrange) = Cases[name];
        var (script, target) = arrange(workspace);
        using IDisposable? holder = name switch
        {
            "DatabaseOpenInProcess" => File.OpenRead((string)target),
            "SourceLocked" or "DestinationLocked" => new DatabaseHolder((string)target, "BEGIN EXCLUSIVE;"),
            "DestinationPageSizeDiffers" => new DatabaseHolder((string)target, "BEGIN; SELECT count(*) FROM customer;"),
            _ => null,
        };

        var before = Stored(workspace);
        var result = workspace.Run(script);
        var record = Assert.Single(result.Errors);
        var command = script.Split(' ')[0].Replace("-", string.Empty, StringComparison.Ordinal);
        Assert.Equal($"{name.Split(':')[0]},SignalHarvester.Backup.PowerShell.Commands.{command}Command", record.FullyQualifiedErrorId);
        Assert.Equal(category, record.CategoryInfo.Category);
        Assert.Equal(target, record.TargetObject);
        Assert.IsType<BackupException>(record.Exception);
        Assert.Matches(NextStep(), record.Exception.Message);
        Assert.EndsWith(".", record.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', record.Exception.Message);
        Assert.Subset(Stored(workspace), before);
        if (name != "DestinationPageSizeDiffers")
        {
            // In this case the safety backup is made before SQLite refuses.
            Assert.Equal(before, Stored(workspace));
        }

        Assert.False(File.Exists(workspace["new.db"]));
    }

    [Fact]
    public void Every_id_has_a_case_or_a_reason_why_not()
    {
        var ids = typeof(BackupErrorId).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        Assert.Equal(
            ids.Order(StringComparer.Ordinal), Cases.Keys.Select(name => name.Split(':')[0]).Distinct().Concat(Elsewhere.Keys).Order(StringComparer.Ordinal));
    }

    private static (string Script, object Target) Scheduler(string nameAndBackend, object target)
    {
        FakeSchedulers.SkipWhereNone();
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "launchd can be used there");
        return ($"Register-SHBackupSchedule {nameAndBackend} -Daily -DatabasePath ./app.db", target);
    }

    private static (string Script, object Target) Encrypted(Workspace workspace, string parameters)
    {
        var id = workspace.MakeBackup("-Recipient (New-SHBackupKey ./right.key)").Id;
        return ($"Test-SHBackup {id} {parameters}", id);
    }

    private static (string Script, object Target) Source(Workspace workspace, byte[] content)
    {
        File.WriteAllBytes(workspace["source.db"], content);
        return ("New-SHBackup source.db", workspace["source.db"]);
    }

    private static (string Script, object Target) Stored(Workspace workspace, Action<string, string> spoil, string script = "Test-SHBackup {0}")
    {
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        spoil(id, workspace.FileOf(id));
        return (script.Replace("{0}", id, StringComparison.Ordinal), id);
    }

    private static HashSet<string> Stored(Workspace workspace) =>
        [
            .. Directory.Exists(workspace.Backups)
                ? new DirectoryInfo(workspace.Backups).EnumerateFileSystemInfos().Select(item => item.Name).Where(name => name != ".shbackup")
                : [],
        ];

    private static (string Script, object Target) Sidecar(Workspace workspace, Action<string> spoil)
    {
        var path = workspace.SidecarOf(workspace.AddBackup(TimeSpan.FromDays(1)));
        spoil(path);
        return ("Get-SHBackup", path);
    }

    private static string Restore(Workspace workspace, string destination) =>
        $"Restore-SHBackup {workspace.AddBackup(TimeSpan.FromDays(1))} {destination} -Force";

    private static void Deny(string path, UnixFileMode left)
    {
        Assert.SkipWhen(
            OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess,
            "takes Unix permissions and an account that they bind: root may read and write everything");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, left);
        }
    }

    [GeneratedRegex(
        @"\b(Check|Correct|Fetch|Give|List|Restore|Run|Back it up|Use|Remove|Free|Stop|Wait|Create|Omit|Do not rely|Put|Pass|give|add|nothing was read|must be given)\b")]
    private static partial Regex NextStep();
}
