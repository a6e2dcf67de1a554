using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>A scheduled run as the scheduler starts it: exactly the task's command, in a process of its own.</summary>
public sealed class ScheduledRunTests
{
    [Fact]
    public void A_good_run_ends_with_0_and_one_that_was_served_has_nothing_to_do()
    {
        using var host = Prepared("-DatabasePath ./app.db -RandomDelay 1s");
        MakeDue(host);
        Assert.Equal((0, 1), (RunTask(host).ExitCode, Backups(host)));
        var again = RunTask(host);
        Assert.Equal((0, 1, string.Empty), (again.ExitCode, Backups(host), again.Output + again.Error));
        Assert.Contains("it is not due before", host.Run("Invoke-SHBackupSchedule task -IfDue").Output, StringComparison.Ordinal);

        // The next moment. cron has no random delay, so the run waits.
        MakeDue(host);
        var next = host.Run("Invoke-SHBackupSchedule task -IfDue -Verbose; exit $LASTEXITCODE");
        Assert.Equal((0, 2), (next.ExitCode, Backups(host)));
        Assert.Contains("The run is delayed by 00:00:0", next.Output, StringComparison.Ordinal);
        Assert.Equal(
            ["Succeeded", "True"],
            Lines(host.Run("$s = Get-SHBackupSchedule task; $s.LastResult; $s.LastBackup -eq (Get-SHBackup -BackupDirectory ./backups -Newest 1).Id").Output));
        var history = host.Run("Get-SHBackupHistory -BackupDirectory ./backups | ForEach-Object { \"$($_.Operation) $($_.Status) $($_.Schedule)\" }")
            .EnsureSuccess();
        Assert.Equal(2, Lines(history.Output).Count(line => line == "Create Success task"));
        Assert.Equal(2, Lines(history.Output).Count(line => line == "Schedule Success task"));
    }

    [Theory]
    [InlineData(ShellProcess.Host)]
    [InlineData(ShellProcess.PowerShell)]
    public void The_task_writes_a_plain_line_for_each_step_and_its_errors_without_escapes(string shell)
    {
        using var host = Prepared("-DatabasePath './app*.db' -Upload -Provider Directory -Container './off site' -CreateContainer");
        File.WriteAllText(host["app too.db"], "This is a text and no database, however long it may be.");
        MakeDue(host);
        var result = RunTask(host, shell);
        Assert.Equal(3, result.ExitCode);
        Assert.DoesNotContain('\u001b', result.Output + result.Error);
        const string begin = @"^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ schedule=task ";
        var id = Path.GetFileNameWithoutExtension(Directory.GetFiles(host["backups"], "backup_*.json").Single());
        string[] expected =
        [
            $@"database=""HOME/app.db"" step=create result=succeeded id={id} type=full size=\d+ ratio=0\.\d+ verified=full seconds=[\d.]+ detail=Full$",
            $@"database=""HOME/app.db"" step=verify result=succeeded id={id} verified=full seconds=[\d.]+ detail=""Full, before it was published""$",
            $@"database=""HOME/app.db"" step=upload result=succeeded store=file:///\S+ id={id} seconds=[\d.]+ detail="".*""$",
            @"database=""HOME/app too.db"" step=create result=failed seconds=[\d.]+ error=SourceNotSqlite detail="".*""$",
            @"step=retention result=succeeded directory=""HOME/backups"" seconds=[\d.]+ detail=""0 removed, 1 kept""$",
            "step=run result=partial backups=1 seconds=[\\d.]+$",
        ];
        var lines = result.Output.Replace(host.Path, "HOME", StringComparison.Ordinal).TrimEnd('\n').Split('\n');
        Assert.Equal(expected.Length, lines.Length);
        Assert.All(expected, pattern => Assert.Single(lines, line => Regex.IsMatch(line, begin + pattern)));
        Assert.Contains("app too.db", Assert.Single(result.Error.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void A_schedule_that_an_earlier_version_registered_runs()
    {
        using var host = Prepared("-DatabasePath ./app.db");
        MakeDue(host);
        Edit(Definition(host), definition =>
        {
            // What the first version wrote.
            foreach (var (part, keep) in (IEnumerable<(JsonObject, string[])>)
                [
                    (definition, ["format_version", "name", "trigger", "random_delay", "backend", "scope", "registered", "job", "command"]),
                    (
                        definition["job"]!.AsObject(),
                        ["action", "databases", "backup_directory", "retention_policy", "prune", "keep_within", "no_verify", "create_container"]),
                    (definition["command"]!.AsObject(), ["program", "arguments", "environment"]),
                ])
            {
                foreach (var later in part.Select(field => field.Key).Except(keep).ToList())
                {
                    part.Remove(later);
                }
            }
        });
        Assert.Equal((0, 1), (RunTask(host).ExitCode, Backups(host)));
        Assert.Equal(["Succeeded"], Lines(host.Run("(Get-SHBackupSchedule task).LastResult").Output));
    }

    [Fact]
    public void Whoever_calls_it_gets_objects_and_the_lines_with_Verbose()
    {
        using var host = Prepared("-DatabasePath ./app.db");
        var result = host.Run("""
            $create = (Invoke-SHBackupSchedule task -Verbose).Steps[0]
            "$($create.Database) $($create.Type) $($create.VerificationLevel) $($create.Size -gt 0) $($create.Ratio -lt 1)"
            """);
        Assert.Equal($"{host["app.db"]} Full Full True True", Lines(result.Output)[^1]);
        Assert.Contains(
            Lines(result.Output),
            line => line.StartsWith("VERBOSE: time=", StringComparison.Ordinal) && line.Contains(" step=create ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("registered")]
    [InlineData("served")]
    public void A_clock_that_was_ahead_once_does_not_stop_the_backups(string moment)
    {
        using var host = Prepared("-DatabasePath ./app.db");
        MakeDue(host);
        Assert.Equal((0, 1), (RunTask(host).ExitCode, Backups(host)));
        MakeDue(host);
        Edit(moment == "registered" ? Definition(host) : StateFile(host), kept => kept[moment] = "2099-01-01T02:00:00+00:00");
        Assert.Equal((0, 2), (RunTask(host).ExitCode, Backups(host)));
        Assert.Equal((0, 2), (RunTask(host).ExitCode, Backups(host)));
    }

    [Fact]
    public void The_name_of_a_file_cannot_pass_for_a_line_of_the_log()
    {
        using var host = Prepared("-DatabasePath ./*.db");
        File.WriteAllText(host["x\nstep=run result=succeeded \u001b[31m.db"], "This is a text and no database, however long it may be.");
        MakeDue(host);
        var result = RunTask(host);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("has no SQLite header", result.Output + result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Lines(result.Output + "\n" + result.Error), line => line.StartsWith("step=run", StringComparison.Ordinal));
        Assert.DoesNotContain("\u001b", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void One_bad_database_and_a_failed_copy_end_with_3_and_stop_nothing_else()
    {
        using var host = Prepared("-DatabasePath ./*.db -Upload -Provider Directory -Container ./missing");
        File.WriteAllText(host["bad.db"], "This is a text and no database, however long it may be.");
        Databases.Create(host["second.db"], new DatabaseShape { Rows = 20 });
        MakeDue(host);
        var result = RunTask(host);
        Assert.Equal((3, 2), (result.ExitCode, Backups(host)));
        Assert.Contains("bad.db", result.Error, StringComparison.Ordinal);
        var steps = host.Run(
            "(Invoke-SHBackupSchedule task -ErrorAction SilentlyContinue).Steps | ForEach-Object { \"$($_.Step) $(($_.Target -split '/')[-1]) $($_.Result) $($_.ErrorId)\".Trim() }; $LASTEXITCODE");
        Assert.Equal(
            [
                "3", "Create app.db Succeeded", "Create bad.db Failed SourceNotSqlite", "Create second.db Succeeded",
                "Retention backups Succeeded", "Upload missing Failed CloudContainerNotFound", "Upload missing Failed CloudContainerNotFound",
                "Verify app.db Succeeded", "Verify second.db Succeeded",
            ],
            Lines(steps.Output).Select(line => line.Replace("Upload  ", "Upload missing ", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        // A failure does not stop the next run: now the store exists.
        Directory.CreateDirectory(host["missing"]);
        File.Delete(host["bad.db"]);
        MakeDue(host);
        Assert.Equal(0, RunTask(host).ExitCode);
        Assert.Equal(2, Directory.GetFiles(host["missing"], "*.json").Length);
    }

    [Fact]
    public void Where_nothing_is_reached_it_ends_with_1()
    {
        using var host = Prepared("-DatabasePath ./app.db");
        File.Delete(host["app.db"]);
        MakeDue(host);
        var result = RunTask(host);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("app.db", result.Error, StringComparison.Ordinal);
        Assert.Equal(["Failed"], Lines(host.Run("(Get-SHBackupSchedule task).LastResult").Output));

        host.Run("Unregister-SHBackupSchedule task -Force").EnsureSuccess();
        Assert.Equal(1, host.Run("$global:LASTEXITCODE = 1; Invoke-SHBackupSchedule -Name 'task' -IfDue; exit $global:LASTEXITCODE").ExitCode);
    }

    [Fact]
    public void A_second_run_leaves_at_once_and_says_so_and_SIGTERM_stops_the_first_cleanly()
    {
        using var host = Prepared("-DatabasePath ./held*.db");
        foreach (var name in (string[])["held.db", "held too.db"])
        {
            Databases.Create(host[name], new DatabaseShape { Rows = 20, JournalMode = JournalMode.Delete });
        }

        using (new DatabaseHolder(host["held.db"], "BEGIN EXCLUSIVE;"))
        using (new DatabaseHolder(host["held too.db"], "BEGIN EXCLUSIVE;"))
        {
            StopWhileHeld(host);
        }

        // It was not served, so it is made up.
        Assert.Equal((0, 2), (RunTask(host).ExitCode, Backups(host)));
    }

    private static void StopWhileHeld(ScheduleHost host)
    {
        MakeDue(host);
        using var first = host.Start([.. Task(host)]);
        SpinWait.SpinUntil(() => first.HasExited || File.Exists(Path.Combine(host["state", "shbackup", "schedules"], "shbackup-task.lock")));
        var second = RunTask(host);
        Assert.Contains("'task' does not run: another run of it is in progress.", second.Output, StringComparison.Ordinal);
        Assert.Equal(0, second.ExitCode);

        using (var kill = Process.Start("/bin/sh", ["-c", $"kill -TERM {first.Id}"]))
        {
            kill.WaitForExit();
        }

        var stopped = ScheduleHost.Finish(first, "task");

        // If it had waited for the lock on the database instead, it would have ended with its own error.
        Assert.Equal(143, stopped.ExitCode);
        Assert.Contains(" schedule=task step=run result=stopped", stopped.Output, StringComparison.Ordinal);
        Assert.Equal(0, Backups(host));
    }

    [Fact]
    public void Many_databases_are_backed_up_at_once_each_with_its_own_result()
    {
        using var host = Prepared("-DatabasePath ./many/*.db -ThrottleLimit 4 -NoRetention -Type Auto");
        Directory.CreateDirectory(host["many"]);
        for (var index = 0; index < 12; index++)
        {
            Databases.Create(host["many", $"db {index}.db"], new DatabaseShape { Rows = 5 });
        }

        var result = host.Run(
            "$run = Invoke-SHBackupSchedule task; $run.Result; @($run.Backups | ForEach-Object { $_ }).Count; @(Get-SHBackup -BackupDirectory ./backups | Where-Object Verified).Count")
            .EnsureSuccess();
        Assert.Equal(["Succeeded", "12", "12"], Lines(result.Output));
    }

    [Fact]
    public void Metrics_are_exported_with_the_promise_of_the_shortest_schedule_and_their_failure_is_a_warning()
    {
        using var host = new ScheduleHost();
        host.Install("crontab", FakeSchedulers.Crontab);
        Directory.CreateDirectory(host["config"]);
        Directory.CreateDirectory(host["metrics"]);
        File.WriteAllText(
            host["config", "settings.yaml"],
            "app:\n  database_path: app.db\n  backup:\n    backup_dir: backups\n    metrics:\n      textfile: metrics/shbackup.prom\n");
        var result = host.Run("Register-SHBackupSchedule -FromConfiguration | Out-Null; (Invoke-SHBackupSchedule shbackup-monthly).Result").EnsureSuccess();
        Assert.Equal(["Succeeded"], Lines(result.Output).Where(line => !line.StartsWith("WARNING: cron", StringComparison.Ordinal)));
        var text = File.ReadAllText(host["metrics", "shbackup.prom"]);
        Assert.Matches("(?m)^shbackup_expected_interval_seconds\\{.*\\} 86400$", text);
        Assert.Matches("(?m)^backup_runs_total\\{.*status=\"success\".*\\} 1$", text);

        Directory.Delete(host["metrics"], recursive: true);
        var warned = host.Run("(Invoke-SHBackupSchedule shbackup-monthly).Result; $LASTEXITCODE");
        var told = Lines(warned.Output);
        Assert.StartsWith("WARNING: The metrics of", told[0], StringComparison.Ordinal);
        Assert.Equal(["Warning", "0"], told[1..]);
    }

    /// <summary>Makes a home in which "task" is registered, with a crontab of its own.</summary>
    private static ScheduleHost Prepared(string parameters)
    {
        var host = new ScheduleHost();
        host.Install("crontab", FakeSchedulers.Crontab);
        host.Run("Register-SHBackupSchedule task -Daily -BackupDirectory ./backups -Force " + parameters).EnsureSuccess();
        return host;
    }

    /// <summary>Changes the records so that a moment has come since the registration and the last run.</summary>
    private static void MakeDue(ScheduleHost host)
    {
        Edit(Definition(host), definition => definition["registered"] = "2026-01-01T00:00:00+00:00");
        if (File.Exists(StateFile(host)))
        {
            Edit(StateFile(host), served => served.Remove("served"));
        }
    }

    private static string StateFile(ScheduleHost host) => Path.Combine(host["state", "shbackup", "schedules"], "shbackup-task.state.json");

    private static ToolResult RunTask(ScheduleHost host)
    {
        using var process = host.Start([.. Task(host)]);
        return ScheduleHost.Finish(process, "task");
    }

    /// <summary>Runs the task's command in one of the two shells, with the task's own variables.</summary>
    private static ToolResult RunTask(ScheduleHost host, string shell)
    {
        string[] program = shell == ShellProcess.Host
            ? [BuiltModule.Host]
            : ["dotnet", ShellProcess.Restored(), "-NoProfile", "-NonInteractive"];
        string[] arguments = [.. program, "-Command", shell == ShellProcess.Host
            ? Task(host).Last()
            : $"Import-Module '{BuiltModule.Manifest}'; {Task(host).Last()}"];
        var command = JsonNode.Parse(File.ReadAllText(Definition(host)))!["command"]!;
        using var process = host.StartProgram(
            "/usr/bin/env", [.. command["environment"]!.AsObject().Select(variable => $"{variable.Key}={variable.Value}"), .. arguments]);
        return ScheduleHost.Finish(process, "task");
    }

    /// <summary>Returns the arguments that the scheduler would pass.</summary>
    private static IEnumerable<string> Task(ScheduleHost host)
    {
        var command = JsonNode.Parse(File.ReadAllText(Definition(host)))!["command"]!;
        Assert.Equal(BuiltModule.Host, (string)command["program"]!);
        return command["arguments"]!.AsArray().Select(argument => (string)argument!);
    }

    private static string Definition(ScheduleHost host) => Path.Combine(host["config", "shbackup", "schedules"], "shbackup-task.json");

    private static void Edit(string path, Action<JsonObject> edit)
    {
        var content = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        edit(content);
        File.WriteAllText(path, content.ToJsonString());
    }

    private static int Backups(ScheduleHost host) => Directory.Exists(host["backups"]) ? Directory.GetFiles(host["backups"], "backup_*.json").Length : 0;

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
