namespace SignalHarvester.Backup.Durability.Tests.Places;

/// <summary>
/// A named pipe in place of a file of ours, or of SQLite's, makes nobody wait: whatever the command reports, it ends. Opening a pipe
/// for reading could wait for a writer for ever.
/// </summary>
public sealed class PlantedPipeTests(PlantedPipeTests.World world) : IClassFixture<PlantedPipeTests.World>
{
    private static readonly string[] Commands =
    [
        "Get-SHBackup -BackupDirectory {0}/backups",
        "Get-SHBackup -BackupDirectory {0}/backups | Test-SHBackup",
        "Get-SHBackup -BackupDirectory {0}/backups -Newest 1 | Restore-SHBackup -Destination {0}/new.db -Force",
        "Get-SHBackup -BackupDirectory {0}/backups -Newest 1 | Compare-SHBackup -Database {0}/app.db",
        "New-SHBackup {0}/app.db -BackupDirectory {0}/backups -Type Incremental",
        "Get-SHBackup -BackupDirectory {0}/backups -Newest 1 | Remove-SHBackup -Force",
        "Get-SHBackupHealth -BackupDirectory {0}/backups",
        "Get-SHBackupHistory -BackupDirectory {0}/backups",
        "Invoke-SHBackupScrub -BackupDirectory {0}/backups",
        "Get-SHBackup -BackupDirectory {0}/backups -Remote -Provider Directory -Container {0}/offsite -Newest 1 | Restore-SHBackup -BackupDirectory {0}/backups -Destination {0}/new.db -Force",
        "Get-SHBackup -BackupDirectory {0}/backups | Send-SHBackup -Provider Directory -Container {0}/offsite",
    ];

    public static TheoryData<string> Places => new(
    [
        "backups/{0}.json", "backups/{0}_full.db.zst", "backups/backups.json", "backups/{0}_g2_full.db.zst.partial",
        "backups/.shbackup", "backups/.shbackup/lock",
        "backups/.shbackup/history.db", "backups/.shbackup/history.db-wal", "backups/.shbackup/history.db-shm", "backups/.shbackup/history.db-journal",
        "backups/.shbackup/publishing", "backups/.shbackup/publishing/{0}.json", "backups/.shbackup/removing/{0}.json", "backups/.shbackup/superseded/{0}.json",
        "backups/.shbackup/digests", "backups/.shbackup/digests/{1}", "backups/.shbackup/uploads", "backups/.shbackup/downloads",
        "backups/.shbackup/staging", "backups/.shbackup/staging/{0}.lock", "backups/.shbackup/tmp",
        "backups/quarantine", "backups/quarantine/20261129_000000_000000/{0}.json",
        "app.db-wal", "app.db-journal", "app.db-shm", "new.db", "new.db-wal", "new.db-journal", "new.db-shm",
        "offsite/.shbackup", "offsite/.shbackup/lock", "offsite/{0}.json", "offsite/{0}_full.db.zst", "offsite/.shbackup/records",
        "offsite/.shbackup/records/{0}.json",
    ]);

    [Theory]
    [MemberData(nameof(Places))]
    public async Task A_named_pipe_in_the_place_of_a_file_keeps_no_command_waiting(string place)
    {
        foreach (var command in Commands.Where(command => GoesTo(place, command)))
        {
            using var folder = new TempFolder(plain: true);
            world.CopyTo(folder.Path);
            var pipe = folder[string.Format(System.Globalization.CultureInfo.InvariantCulture, place, world.Id, world.DigestName)];
            Directory.CreateDirectory(Path.GetDirectoryName(pipe)!);
            if (Directory.Exists(pipe))
            {
                Directory.Delete(pipe, recursive: true);
            }

            File.Delete(pipe);
            Tool.Require("mkfifo").Run("-m", "666", pipe).EnsureSuccess();

            var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, command, folder.Path);
            var answer = await world.SendAsync(text + " -WarningAction SilentlyContinue | Out-Null");

            Assert.All(answer, line => Assert.StartsWith("ERROR", line, StringComparison.Ordinal));
            Assert.DoesNotContain(
                answer, line => line.Contains("Exception", StringComparison.Ordinal) || line.StartsWith("ERROR Microsoft", StringComparison.Ordinal));
        }
    }

    /// <summary>Whether a command can meet a place: each can meet those in the backup directory; a database or a store, only if it is named.</summary>
    private static bool GoesTo(string place, string command) => place[..place.IndexOfAny(['/', '-', '.'])] switch
    {
        "backups" => true,
        "offsite" => command.Contains("{0}/offsite", StringComparison.Ordinal),
        "new" => command.Contains("{0}/new.db", StringComparison.Ordinal),

        // A restore looks at the database of the backups, and so does a report on their health.
        _ => command.Contains("{0}/app.db", StringComparison.Ordinal) || command.Contains("Restore-", StringComparison.Ordinal)
            || command.Contains("Health", StringComparison.Ordinal),
    };

    [Fact]
    public async Task A_named_pipe_in_the_place_of_the_configuration_is_an_error_that_says_how_to_go_on_without()
    {
        using var folder = new TempFolder(plain: true);
        world.CopyTo(folder.Path);
        Directory.CreateDirectory(folder["config"]);
        Tool.Require("mkfifo").Run(folder["config", "settings.yaml"]).EnsureSuccess();

        var without = await Shbackup.RunByAsync(
            ["env", "--chdir=" + folder.Path], "Get-SHBackup -BackupDirectory ./backups -NoConfiguration | ForEach-Object { 'listed' }");
        var with = await Shbackup.RunByAsync(["env", "--chdir=" + folder.Path], "Get-SHBackup -BackupDirectory ./backups | ForEach-Object { 'listed' }");

        Assert.Equal("listed\nlisted", without.EnsureSuccess().Output.Trim());
        Assert.Equal((1, ""), (with.ExitCode, with.Output.Trim()));
        Assert.Contains("is a pipe", with.Error, StringComparison.Ordinal);
        Assert.Contains("-NoConfiguration", with.Error, StringComparison.Ordinal);
    }

    /// <summary>A database with a chain of two, here and in a folder as object store; and one process for the commands.</summary>
    public sealed class World : IAsyncLifetime
    {
        private readonly TempFolder template = new(plain: true);
        private Shbackup? host;

        public string Id { get; private set; } = "";

        public string DigestName { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no named pipes among the files there");
            var source = Databases.Create(template["app.db"]);
            var directory = template["backups"];
            host = Shbackup.Start();
            Id = (await host.AskAsync($"New-SHBackup {source} -BackupDirectory {directory} | ForEach-Object Id")).Single();
            using (var connection = Databases.Open(source))
            {
                Databases.Execute(connection, "CREATE TABLE later(a)");
            }

            await host.AskAsync(
                $"New-SHBackup {source} -BackupDirectory {directory} -Type Incremental | Send-SHBackup -Provider Directory -Container {template["offsite"]} -CreateContainer | Out-Null");
            await host.AskAsync($"Get-SHBackup -Remote -Provider Directory -Container {template["offsite"]} | Out-Null");
            DigestName = Path.GetFileName(Directory.GetFiles(Path.Combine(directory, ".shbackup", "digests"))[^1]);
        }

        public void CopyTo(string folder)
        {
            foreach (var name in (string[])["app.db", "backups", "offsite"])
            {
                Tool.Require("cp").Run("-a", template[name], folder).EnsureSuccess();
            }
        }

        /// <summary>Sends a command. A process that does not answer is killed, so that the next test gets one that does.</summary>
        internal async Task<IReadOnlyList<string>> SendAsync(string command)
        {
            host ??= Shbackup.Start();
            try
            {
                return await host.SendAsync(command);
            }
            catch
            {
                host.Dispose();
                host = null;
                throw;
            }
        }

        public ValueTask DisposeAsync()
        {
            host?.Dispose();
            template.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
