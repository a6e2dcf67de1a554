using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Which databases are meant by the cmdlets that start, show and stop continuous protection.</summary>
public sealed class ProtectionTests
{
    private const string To = "-BackupDirectory ./backups -To ./offsite -CreateContainer";

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    // Each of them is a pattern that matches itself, another one, or nothing.
    private static readonly string[] Odd = ["a[1].db", "a1.db", "b*?.db", "c`d.db", "fo[1]/e`[2].db"];

    [Theory]
    [InlineData("Start-SHBackupProtection $names")]
    [InlineData("$names | Start-SHBackupProtection")]
    [InlineData("Start-SHBackupProtection ($names | ForEach-Object { [WildcardPattern]::Escape($_) })")]
    [InlineData("Start-SHBackupProtection -LiteralPath $names")]
    [InlineData("Get-Item -LiteralPath $names | Start-SHBackupProtection")]
    public void A_database_with_wildcards_in_its_path_is_protected_shown_and_stopped_alone(string start)
    {
        using var host = WithOddDatabases();
        using var process = host.Start("-Command", $"$names = {Names}; {start} {To}; exit [int](-not $?)");
        AwaitFollowed(host, process);

        var seen = host.Run("""
            $here = @{ BackupDirectory = './backups' }
            "$((Get-SHBackupProtection 'fo[1]/e`[2].db' @here).Database)"
            "$((Get-SHBackupProtection ([WildcardPattern]::Escape('a[1].db')) @here).Database)"
            "$((Stop-SHBackupProtection 'a[1].db' @here).Database)"
            "$((Get-SHBackupProtection | Where-Object State -ne Stopped).Count)"
            Get-SHBackupProtection @here | Where-Object State -ne Stopped | Stop-SHBackupProtection | ForEach-Object { "$($_.Database) $($_.State)" }
            """).EnsureSuccess();

        Assert.Equal([host["fo[1]", "e`[2].db"], host["a[1].db"], host["a[1].db"], "4"], seen.Output.Split('\n')[..4]);
        Assert.Equal(
            Odd.Where(name => name != "a[1].db").Select(name => $"{host[name]} Stopped").Order(StringComparer.Ordinal),
            seen.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[4..].Order(StringComparer.Ordinal));
        Assert.Equal((string.Empty, 0), (seen.Error, ScheduleHost.Finish(process, start).ExitCode));
    }

    /// <summary>What is committed meanwhile is neither lost nor a gap: its lock keeps the log. When it was committed is not known better.</summary>
    [Fact]
    public void A_process_that_was_suspended_stores_each_transaction_when_it_goes_on()
    {
        using var host = new ScheduleHost();
        using var process = host.Start("-Command", $"Start-SHBackupProtection ./app.db {To} -Verbose *>&1 | Out-String -Stream -Width 500");
        AwaitFollowed(host, process, count: 1);
        var id = host.Run("(Get-SHBackupProtection ./app.db -BackupDirectory ./backups).ProcessId").EnsureSuccess().Output.Trim();
        Commit(host, 1);
        Tool.Require("kill").Run("-STOP", id).EnsureSuccess();
        var began = DateTimeOffset.UtcNow;
        for (var number = 2; number <= 30; number++)
        {
            Commit(host, number);
        }

        var ended = DateTimeOffset.UtcNow;
        Tool.Require("kill").Run("-CONT", id).EnsureSuccess();
        var stopped = host.Run("""
            $here = @{ BackupDirectory = './backups' }
            $until = (Get-Date).AddMinutes(1)
            while ((Get-SHBackupProtection ./app.db @here).StoredTransaction -lt 31 -and (Get-Date) -lt $until) { Start-Sleep -Milliseconds 100 }
            $ended = Stop-SHBackupProtection ./app.db @here
            "$($ended.Gaps) $($ended.StoredTransaction)"
            $listed = Get-SHBackupTransaction -From ./offsite -Database app.db | Sort-Object Transaction
            "$($listed.Count)"
            $listed[20].Earliest.UtcTicks
            $listed[20].Timestamp.UtcTicks
            (Restore-SHBackup -Transaction 20 -From ./offsite -Database app.db -Destination ./twenty.db 6>$null).RestoredTransaction
            """).EnsureSuccess().Output.Split('\n');

        Assert.Equal(["0 31", "32", "20"], [.. stopped[..2], stopped[4]]);
        Assert.InRange(long.Parse(stopped[2], CultureInfo.InvariantCulture), 0, began.UtcTicks);
        Assert.InRange(long.Parse(stopped[3], CultureInfo.InvariantCulture), ended.UtcTicks - TimeSpan.TicksPerMillisecond, long.MaxValue);
        using (var restored = Databases.Open(host["twenty.db"]))
        {
            Assert.Equal("19", Databases.Scalar(restored, "SELECT max(n) FROM noted"));
        }

        // Each segment is told, as -Verbose says.
        var said = ScheduleHost.Finish(process, "protection").Output;
        Assert.Contains("Stored 'seg_000001_000000000002.seg': transactions 1 to ", said, StringComparison.Ordinal);
    }

    /// <summary>Also when the protection leaves before its application. What is given as a parameter stands above the settings, here and there.</summary>
    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "-NoCheckpoint")]
    public async Task Without_checkpoints_the_log_is_never_copied_by_us(bool configured, string parameters)
    {
        using var host = new ScheduleHost();
        Configure(host, $"checkpoint: {(configured ? "true" : "false")}, backup_interval: 2h, audit_interval: 30m");
        using var application = await Application.StartAsync(
            new ApplicationOptions { DatabasePath = host["live.db"], Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"] });
        _ = await application.WorkAsync(5);
        var before = await File.ReadAllBytesAsync(host["live.db"], TestContext.Current.CancellationToken);
        var said = await ProtectAsync(parameters);
        Assert.Equal(0, await CopiedAsync());
        Assert.Equal(before, await File.ReadAllBytesAsync(host["live.db"], TestContext.Current.CancellationToken));
        Assert.NotEmpty(Directory.GetFiles(host["nas"], "seg_*", SearchOption.AllDirectories));
        Assert.Contains("these are made each 2h", said, StringComparison.Ordinal);
        Assert.Contains("For one each 30m", said, StringComparison.Ordinal);

        _ = await ProtectAsync("-NoCheckpoint:$false");
        Assert.NotEqual(0, await CopiedAsync());
        await application.EndAsync();

        async Task<string> ProtectAsync(string how)
        {
            using var process = host.Start("-Command", $"Start-SHBackupProtection ./live.db -BackupDirectory ./backups {how} *>&1 | Out-String -Width 500");
            AwaitFollowed(host, process, count: 1);
            _ = await application.WorkAsync(5);
            Assert.Equal("0 0", host.Run(
                "$s = Stop-SHBackupProtection ./live.db -BackupDirectory ./backups; \"$($s.Gaps) $($s.Transaction - $s.StoredTransaction)\"")
                .EnsureSuccess().Output.Trim());
            return ScheduleHost.Finish(process, how).Output;
        }

        // https://sqlite.org/walformat.html#the_wal_index_file_format: nBackfill.
        async Task<int> CopiedAsync() => BitConverter.ToInt32(await application.ReadIndexAsync(), 96);
    }

    /// <summary>Everything looks two days old, and an ordinary backup of that age is tested: the segments up to it are due.</summary>
    [Fact]
    public void Old_segments_go_unless_they_are_kept_for_longer_or_left_to_the_store()
    {
        using var host = new ScheduleHost();
        Configure(host, "keep_transactions: 1d");
        var commits = 0;
        Protect(string.Empty, _ => true);
        foreach (var sidecar in new[] { host["backups"], host["nas"] }.SelectMany(folder => Directory.GetFiles(folder, "backup_*.json")))
        {
            var text = JsonNode.Parse(File.ReadAllText(sidecar))!;
            text["verified"] = true;
            text["metadata"]!["stream_time"] = DateTime.UtcNow.AddDays(-2).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            File.WriteAllText(sidecar, text.ToJsonString());
        }

        // The oldest moment is known once it was looked for what has to go.
        Protect("-KeepRemote", IsLooked);
        Protect("-KeepTransactions 7d", IsLooked);
        Assert.Contains(Segments(), name => name.EndsWith("_000000000001.seg", StringComparison.Ordinal));
        Protect(string.Empty, status => Segments().All(name => !name.EndsWith("_000000000001.seg", StringComparison.Ordinal)));
        Assert.NotEmpty(Segments());

        static bool IsLooked(string status) => status.Contains("\"restorable_from\":\"", StringComparison.Ordinal);

        string[] Segments() => Directory.GetFiles(host["nas"], "seg_*", SearchOption.AllDirectories);

        void Protect(string how, Predicate<string> isSo)
        {
            using var process = host.Start("-Command", $"Start-SHBackupProtection ./app.db -BackupDirectory ./backups {how}");
            AwaitFollowed(host, process, count: 1);
            var status = Directory.GetFiles(host["backups", ".shbackup", "protection"], "status.json", SearchOption.AllDirectories).Single();
            Commit(host, ++commits);
            Assert.True(SpinWait.SpinUntil(() => isSo(File.ReadAllText(status)), Hang), File.ReadAllText(status));
            host.Run("$null = Stop-SHBackupProtection ./app.db -BackupDirectory ./backups").EnsureSuccess();
            Assert.Equal(0, ScheduleHost.Finish(process, how).ExitCode);
        }
    }

    [Fact]
    public async Task A_restore_over_a_protected_database_is_one_transaction_that_is_followed_and_with_differing_pages_alone_it_is_refused()
    {
        using var host = new ScheduleHost();
        using var application = await Application.StartAsync(
            new ApplicationOptions { DatabasePath = host["live.db"], Pragmas = ["journal_mode = WAL", "synchronous = OFF"] });
        _ = await application.WorkAsync(20);
        var id = host.Run("(New-SHBackup ./live.db -BackupDirectory ./backups).Id").EnsureSuccess().Output.Trim();
        var kept = (await application.CheckAsync(host["live.db"])).Digests;
        using var process = host.Start("-Command", $"Start-SHBackupProtection ./live.db {To}");
        AwaitFollowed(host, process, count: 1);
        _ = await application.WorkAsync(20);

        var said = host.Run($$"""
            $here = @{ BackupDirectory = './backups' }
            function Wait-Stored {
                do { Start-Sleep -Milliseconds 100; $s = Get-SHBackupProtection ./live.db @here }
                until ($s.LastLook -gt $args[0] -and $s.Transaction -eq $s.StoredTransaction -and $s.Lag -eq 0)
                $s
            }
            $before = (Wait-Stored (Get-Date)).Transaction
            try { Restore-SHBackup {{id}} ./live.db @here -Delta -Force -LockTimeout 0 -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }
            (Wait-Stored (Get-Date)).Transaction - $before
            $null = Restore-SHBackup {{id}} ./live.db @here -Force
            $after = Wait-Stored (Get-Date)
            "$($after.Transaction - $before) $($after.Gaps)"
            $null = Restore-SHBackup -Transaction $after.Transaction -From ./offsite -Database live.db -Destination ./after.db 6>$null
            """).EnsureSuccess();
        Assert.Equal(["DestinationLocked,SignalHarvester.Backup.PowerShell.Commands.RestoreSHBackupCommand", "0", "1 0"], said.Output.Trim().Split('\n'));
        Assert.Equal(kept, (await application.CheckAsync(host["after.db"])).Digests);
        Assert.Equal(kept, (await application.CheckAsync(host["live.db"])).Digests);

        Assert.Equal(0, (await application.WorkAsync(10)).Refused);
        await application.EndAsync();

        // Its protection alone has it open now.
        said = host.Run($$"""
            try { Restore-SHBackup {{id}} ./live.db -BackupDirectory ./backups -Delta -Force -LockTimeout 0 -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }
            $ended = Stop-SHBackupProtection ./live.db -BackupDirectory ./backups
            $null = Restore-SHBackup -Transaction $ended.Transaction -From ./offsite -Database live.db -Destination ./newest.db 6>$null
            """).EnsureSuccess();
        Assert.StartsWith("DestinationLocked,", said.Output, StringComparison.Ordinal);
        Assert.Equal(0, ScheduleHost.Finish(process, "protection").ExitCode);
        Assert.Equal(
            await File.ReadAllBytesAsync(host["live.db"], TestContext.Current.CancellationToken),
            await File.ReadAllBytesAsync(host["newest.db"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_continuous_schedule_protects_databases_with_wildcards_in_their_paths()
    {
        using var host = WithOddDatabases();
        host.Install("systemctl", FakeSchedulers.Systemctl);
        host.Run($$"""
            $names = {{Names}}
            Set-Location -LiteralPath './fo[1]'
            Register-SHBackupSchedule live -Continuous -DatabasePath ($names | ForEach-Object { [WildcardPattern]::Escape("../$_") }) `
                -BackupDirectory ../backups -To ../offsite -CreateContainer | Out-Null
            """).EnsureSuccess();
        using var service = host.Start("-Command", "Invoke-SHBackupSchedule live -IfDue -AsLog; exit $LASTEXITCODE");
        AwaitFollowed(host, service);

        host.Run("Unregister-SHBackupSchedule live -Force").EnsureSuccess();
        var ended = ScheduleHost.Finish(service, "service");
        var done = ended.Output.Split('\n').Count(line => line.Contains("step=protect result=succeeded", StringComparison.Ordinal));
        Assert.Equal((0, Odd.Length), (ended.ExitCode, done));
    }

    [Fact]
    public void What_could_not_begin_is_told_by_its_reason_and_leaves_no_protection_behind()
    {
        using var host = new ScheduleHost();
        File.WriteAllText(host["writer.py"], "print('no database, but long enough to be taken for one by nobody who looks')\n" + new string('#', 5000));
        var said = host.Run($$"""
            $ErrorActionPreference = 'Continue'
            Start-SHBackupProtection ./writer.py {{To}} 2>&1 | ForEach-Object { "$($_.FullyQualifiedErrorId)" }
            "count $(@(Get-SHBackupProtection -BackupDirectory ./backups -WarningAction Ignore).Count)"
            New-Item ./offsite -ItemType Directory -Force | Out-Null
            $there = (Test-SHBackupStore ./offsite).Checks
            "checks $(@($there | Where-Object Passed).Count) of $($there.Count)"
            Start-SHBackupProtection ./app.db {{To}} -AuditInterval 5m -WhatIf -WarningVariable told -WarningAction SilentlyContinue 6>$null
            "warned $told"
            """);
        Assert.Contains("SourceNotSqlite,", said.Output, StringComparison.Ordinal);
        Assert.Contains("count 0", said.Output, StringComparison.Ordinal);
        Assert.Matches("checks 5 of 5", said.Output);
        Assert.Contains("there is none more often than that", said.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_is_one_error_and_starts_nothing()
    {
        using var workspace = new Workspace();
        foreach (var names in (string[])["x*.db", "-LiteralPath '[x].db'"])
        {
            var error = Assert.Single(workspace.Run($"Start-SHBackupProtection {names} -To ./offsite").Errors);
            Assert.StartsWith("SourceNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        }

        Assert.StartsWith(
            "DatabaseRequired,", Assert.Single(workspace.Run("Start-SHBackupProtection -To ./offsite").Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Stop-SHBackupProtection nix.db", "nix.db")]
    [InlineData("Stop-SHBackupProtection ./app.db -BackupDirectory ./elsewhere", "./app.db")]
    [InlineData("[pscustomobject]@{ Database = '*' } | Stop-SHBackupProtection", "*")]
    [InlineData("Get-SHBackupProtection nix.db", "nix.db")]
    [InlineData("Get-SHBackupProtection ./app.db -BackupDirectory ./elsewhere", "./app.db")]
    public void What_was_never_protected_is_an_error(string script, string target)
    {
        using var workspace = new Workspace();
        var result = workspace.Run(script);
        var error = Assert.Single(result.Errors);
        Assert.Null(result.Failure);
        Assert.StartsWith("ProtectionNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal((ErrorCategory.ObjectNotFound, target), (error.CategoryInfo.Category, error.TargetObject));
        Assert.Contains(
            workspace[target.StartsWith('.') ? "elsewhere" : "backups"], error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("Get-SHBackupProtection", error.Exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Stop")]
    [InlineData("Get")]
    public void A_pattern_without_a_match_is_silent_and_all_of_none_a_warning(string verb)
    {
        using var workspace = new Workspace();
        Assert.Empty(workspace.Run($"{verb}-SHBackupProtection n*.db").WithoutErrors().Warnings);
        Assert.Contains(
            workspace["elsewhere"], Assert.Single(workspace.Run($"{verb}-SHBackupProtection -BackupDirectory ./elsewhere").WithoutErrors().Warnings),
            StringComparison.Ordinal);
    }

    private static string Names => $"@({string.Join(", ", Odd.Select(name => $"'{name}'"))})";

    private static ScheduleHost WithOddDatabases()
    {
        var host = new ScheduleHost();
        Directory.CreateDirectory(host["fo[1]"]);
        foreach (var name in Odd)
        {
            File.Copy(host["app.db"], host[name]);
        }

        return host;
    }

    /// <summary>Writes the settings of continuous protection, with a store for it beside another one.</summary>
    private static void Configure(ScheduleHost host, string continuous)
    {
        Directory.CreateDirectory(host["config"]);
        File.WriteAllText(host["config", "settings.yaml"], $$"""
            app:
              backup:
                stores: {other: {path: other}, nas: {path: nas, create_container: true} }
                continuous: {store: nas, {{continuous}} }
            """);
    }

    private static void Commit(ScheduleHost host, int number)
    {
        using var connection = Databases.Open(host["app.db"]);
        if (number == 1)
        {
            Databases.Execute(connection, "CREATE TABLE noted(n)");
        }

        Databases.Execute(connection, $"INSERT INTO noted VALUES ({number})");
    }

    private static void AwaitFollowed(ScheduleHost host, Process process, int? count = null)
    {
        var folder = host["backups", ".shbackup", "protection"];
        Assert.True(
            SpinWait.SpinUntil(() => process.HasExited || AreFollowed(), Hang) && !process.HasExited,
            process.HasExited ? process.StandardError.ReadToEnd() : "They are not followed.");

        bool AreFollowed() => Directory.Exists(folder) && Directory.GetFiles(folder, "status.json", SearchOption.AllDirectories) is { } files
            && files.Count(file => File.ReadAllText(file).Contains("\"state\":\"following\"", StringComparison.OrdinalIgnoreCase)) == (count ?? Odd.Length);
    }
}
