using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Register-, Get- and Unregister-SHBackupSchedule as a user calls them, with the tests' own crontab.</summary>
public sealed class ScheduleTests(ScheduleSandbox sandbox)
{
    private const string ThroughAJob =
        "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    /// <summary>Names that careless quoting would break.</summary>
    public static TheoryData<string> HostileNames =>
    [
        "two words", "it's \"quoted\"", "$HOME $(id) `id` $_", "100% %PATH% \\% \\\\% \\", "a\nnew line\r\n* * * * * touch /tmp/injected",
        "Größe 漢字 🗄 ‘curly’ “double” „low“ ‚single",
        "'; Remove-Item / #", "\"; exit 7 #", "; rm -rf / # & | > <", "-Force", "*[?]", "tab\tesc\u001b[31m nel\u0085 ls\u2028 rlo\u202E", "]]> <x/> &amp; --",
    ];

    [Fact]
    public void A_schedule_comes_out_as_it_was_registered_and_goes_without_a_trace()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run("Register-SHBackupSchedule bystander -Daily -DatabasePath ./app.db").WithoutErrors();
        var registered = workspace.Run(
            "Register-SHBackupSchedule 'Round trip' -Weekly -DayOfWeek Wednesday -At 23:30 -DatabasePath ./app.db -BackupDirectory ./backups -Type Auto -RandomDelay 10m -Description 'a note' -Backend Cron")
            .WithoutErrors().As<BackupSchedule>().Single();
        Assert.Equal("Round trip", registered.Name);
        Assert.Equal("weekly on Wednesday at 23:30 UTC", registered.Trigger.ToString());
        Assert.Equal([workspace.Database], registered.DatabasePath);
        Assert.Equal(workspace.Backups, registered.BackupDirectory);
        Assert.Equal(BackupStrategy.Auto, registered.Type);
        Assert.Equal(TimeSpan.FromMinutes(10), registered.RandomDelay);
        Assert.Equal(ScheduleStatus.Registered, registered.Status);
        Assert.Equal((DayOfWeek.Wednesday, new TimeSpan(23, 30, 0)), (registered.NextRun!.Value.DayOfWeek, registered.NextRun.Value.TimeOfDay));
        Assert.Null(registered.LastRun);
        Assert.Contains("30 */6,", sandbox.Crontab, StringComparison.Ordinal);

        var listed = workspace.Run("Get-SHBackupSchedule 'round TRIP'").WithoutErrors().As<BackupSchedule>().Single();
        Assert.Equal(registered.ToString() + registered.Trigger + registered.DefinitionPath, listed.ToString() + listed.Trigger + listed.DefinitionPath);

        workspace.Run("Get-SHBackupSchedule 'Round trip' | Unregister-SHBackupSchedule -Force").WithoutErrors();
        Assert.False(File.Exists(registered.DefinitionPath));
        Assert.DoesNotContain("round_20trip", sandbox.Crontab, StringComparison.Ordinal);
        Assert.Equal("ScheduleNotFound", workspace.Run("Get-SHBackupSchedule 'Round trip'").Errors.Single().FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains("SignalHarvester.Backup bystander:", sandbox.Crontab, StringComparison.Ordinal);
        workspace.Run("Unregister-SHBackupSchedule bystander -Force").WithoutErrors();
    }

    [Fact]
    public void A_scheduled_drill_asks_what_is_configured_and_fails_when_the_backup_does()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Configure($"""
            app:
              database_path: "{workspace.Database.Replace("\\", "\\\\", StringComparison.Ordinal)}"
              backup:
                backup_dir: backups
                drill:
                  assertions:
                    - query: "SELECT count(*) > 0 FROM sqlite_schema"
                      expect: 1
            """);
        var made = workspace.MakeBackup();
        workspace.Run("$null = Register-SHBackupSchedule drill -Monthly -Day 1 -At 04:00 -Drill -Backend Cron").WithoutErrors();
        var run = workspace.Run("Invoke-SHBackupSchedule drill").As<ScheduleRun>().Single();
        Assert.Equal(ScheduleResult.Succeeded, run.Result);
        Assert.Contains(run.Steps, step => step is { Step: "Drill", Result: ScheduleResult.Succeeded } && step.BackupId == made.Id);
        Workspace.FlipByte(made.BackupPath);
        Assert.Equal(ScheduleResult.Failed, workspace.Run("Invoke-SHBackupSchedule drill").As<ScheduleRun>().Single().Result);
        workspace.Run("Unregister-SHBackupSchedule drill -Force").WithoutErrors();
    }

    [Fact]
    public void A_scheduled_drill_of_some_databases_is_of_those_alone_and_needs_none_of_them_to_be_there()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        Databases.Create(workspace["other.db"], new DatabaseShape { Rows = 5 });
        workspace.Run("New-SHBackup ./other.db").WithoutErrors();
        workspace.Run("$null = Register-SHBackupSchedule some -Daily -At 04:00 -Drill -DatabasePath ./app.db -BackupDirectory ./backups -Backend Cron")
            .WithoutErrors();
        File.Delete(workspace.Database);
        var run = workspace.Run("Invoke-SHBackupSchedule some").As<ScheduleRun>().Single();
        workspace.Run("Unregister-SHBackupSchedule some -Force").WithoutErrors();
        Assert.Equal(ScheduleResult.Succeeded, run.Result);
        Assert.Equal([made.Id], run.Steps.Where(step => step.Step == "Drill").Select(step => step.BackupId));
    }

    [Fact]
    public void A_scheduled_scrub_mends_from_the_store_that_is_configured_and_puts_aside_what_it_cannot_mend()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Configure("""
            app:
              database_path: app.db
              backup:
                backup_dir: backups
                directory: { enabled: true, path: offsite, create_container: true }
            """);
        var sent = workspace.Run("New-SHBackup -Upload").WithoutErrors().As<BackupMetadata>().Single();
        var here = workspace.Run("New-SHBackup -Upload:$false").WithoutErrors().As<BackupMetadata>().Single();
        workspace.Run("$null = Register-SHBackupSchedule scrub -Daily -At 03:30 -Scrub -Backend Cron").WithoutErrors();
        Workspace.FlipByte(sent.BackupPath);
        var mended = workspace.Run("Invoke-SHBackupSchedule scrub").WithoutErrors().As<ScheduleRun>().Single();
        Assert.Equal(ScheduleResult.Succeeded, mended.Result);
        Assert.Contains(mended.Steps, step => step is { Step: "Scrub", Detail: "2 of 2 read, 1 of them repaired" });

        Workspace.FlipByte(here.BackupPath);
        var run = workspace.Run("Invoke-SHBackupSchedule scrub");
        workspace.Run("Unregister-SHBackupSchedule scrub -Force").WithoutErrors();
        Assert.Equal(ScheduleResult.Failed, run.As<ScheduleRun>().Single().Result);
        Assert.Contains(here.Id, run.Errors.Single().Exception.Message, StringComparison.Ordinal);
        Assert.Equal([sent.Id], workspace.Run("Get-SHBackup").As<BackupMetadata>().Select(backup => backup.Id));
        Assert.True(workspace.Run("Get-SHBackup | Test-SHBackup").As<BackupMetadata>().Single().Verified);
    }

    [Fact]
    public void A_scheduled_scrub_reads_as_much_as_it_was_told_to()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run("1..4 | ForEach-Object { New-SHBackup ./app.db -Compression None -NoVerify }").WithoutErrors();
        workspace.Run(
            "$null = Register-SHBackupSchedule half -Daily -Scrub -Percent 50 -BackupDirectory ./backups; $null = Register-SHBackupSchedule short -Daily -Scrub -Budget '0s' -BackupDirectory ./backups")
            .WithoutErrors();
        var half = workspace.Run("Invoke-SHBackupSchedule half").WithoutErrors().As<ScheduleRun>().Single();
        var none = workspace.Run("Invoke-SHBackupSchedule short").WithoutErrors().As<ScheduleRun>().Single();
        workspace.Run("Unregister-SHBackupSchedule half, short -Force").WithoutErrors();
        Assert.Equal("2 of 2 read, 0 of them repaired", half.Steps.Single(step => step.Step == "Scrub").Detail);
        Assert.Equal("0 of 4 read, 0 of them repaired", none.Steps.Single(step => step.Step == "Scrub").Detail);
    }

    [Theory]
    [InlineData("-Percent 10 -DatabasePath ./app.db", "-Percent")]
    [InlineData("-Scrub -DatabasePath ./app.db", "-DatabasePath")]
    [InlineData("-Drill -Type Full", "-Type")]
    [InlineData("-RetentionOnly -NoVerify", "-NoVerify")]
    [InlineData("-Drill -Scrub", "cannot be combined")]
    public void A_parameter_that_would_make_no_difference_is_refused(string parameters, string named)
    {
        using var workspace = new Workspace();
        var error = workspace.Run($"Register-SHBackupSchedule pointless -Daily -BackupDirectory ./backups {parameters} -AsText").Errors.Single();
        Assert.StartsWith("InvalidArgument", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(named, error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Registered_again_it_is_left_alone_and_with_other_times_changed()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        const string register = "Register-SHBackupSchedule idem -DatabasePath ./app.db -BackupDirectory ./backups -Verbose ";
        var first = workspace.Run(register + "-Daily").WithoutErrors().As<BackupSchedule>().Single();
        var written = File.GetLastWriteTimeUtc(first.DefinitionPath);
        var again = workspace.Run(register + "-Daily").WithoutErrors();
        Assert.Contains(again.Verbose, line => line.Contains("already registered with these settings", StringComparison.Ordinal));
        Assert.Equal(written, File.GetLastWriteTimeUtc(first.DefinitionPath));

        var changed = workspace.Run(register + "-Every 15m").WithoutErrors().As<BackupSchedule>().Single();
        Assert.Equal("every 15m", changed.Trigger.ToString());
        Assert.Equal(ScheduleStatus.Registered, changed.Status);
        Assert.Equal(1, sandbox.Crontab.Split('\n').Count(line => line.StartsWith("# BEGIN SignalHarvester.Backup idem:", StringComparison.Ordinal)));
        workspace.Run("Unregister-SHBackupSchedule idem -Force").WithoutErrors();
    }

    [Fact]
    public void Lines_of_others_in_the_crontab_stay_byte_for_byte()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        const string others = "# mine: größe\nMAILTO=me\n5 4 * * *\techo 100\\% # BEGIN SignalHarvester.Backup foreign\n\n";
        sandbox.EditCrontab(table => others + table);
        workspace.Run("Register-SHBackupSchedule foreign -Daily -DatabasePath ./app.db").WithoutErrors();
        Assert.StartsWith(others, sandbox.Crontab, StringComparison.Ordinal);
        workspace.Run("Unregister-SHBackupSchedule foreign -Force").WithoutErrors();
        Assert.StartsWith(others, sandbox.Crontab, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(HostileNames))]
    public void A_hostile_name_runs_that_schedule_and_nothing_else(string name)
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        var schedule =
            workspace.Run("Register-SHBackupSchedule -Name $args[0] -Daily -DatabasePath ./app.db -BackupDirectory ./backups -Description $args[0]", name)
            .WithoutErrors().As<BackupSchedule>().Single();
        Assert.Equal(name, schedule.Name);
        Assert.Equal(ScheduleStatus.Registered, schedule.Status);

        // PowerShell's own reading of the task's command: three statements, and the name as it was given.
        var command = (string)JsonNode.Parse(File.ReadAllText(schedule.DefinitionPath))!["command"]!["arguments"]!.AsArray()[^1]!;
        Assert.DoesNotContain(command, character => char.IsControl(character) || character is '%');
        var read = workspace.Run(
            """
            $errors = $null
            $tree = [System.Management.Automation.Language.Parser]::ParseInput($args[0], [ref]$null, [ref]$errors)
            $errors.Count
            $tree.EndBlock.Statements.Count
            $call = $tree.Find({ $args[0] -is [System.Management.Automation.Language.CommandAst] -and $args[0].GetCommandName() -eq 'Invoke-SHBackupSchedule' }, $true)
            $call.CommandElements.Count
            $call.CommandElements[2].SafeGetValue()
            """, command).WithoutErrors().Output;
        Assert.Equal([0, 4, 5, name], read.Select(item => item.BaseObject));
        Assert.Contains("Invoke-SHBackupSchedule -Name ", command, StringComparison.Ordinal);

        var run = workspace.Run("Get-SHBackupSchedule | Where-Object Name -ceq $args[0] | Invoke-SHBackupSchedule", name)
            .WithoutErrors().As<ScheduleRun>().Single();
        Assert.Equal((name, ScheduleResult.Succeeded), (run.Name, run.Result));
        workspace.Run(
            "Get-SHBackupSchedule | Where-Object Name -ceq $args[0] | ForEach-Object { Unregister-SHBackupSchedule -Name ([WildcardPattern]::Escape($_.Name)) -Force }",
            name)
            .WithoutErrors();
        Assert.False(File.Exists(schedule.DefinitionPath));
    }

    [Theory]
    [InlineData("-WhatIf")]
    [InlineData("-AsText")]
    public void The_exact_definitions_are_shown_and_nothing_is_registered(string how)
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run("Register-SHBackupSchedule onlooker -Daily -DatabasePath ./app.db").WithoutErrors();
        foreach (var (backend, expected) in new[]
        {
            ("Cron", "@reboot "), ("Systemd", "OnCalendar=*-*-* 02:15:00 UTC"), ("Launchd", "<key>StartCalendarInterval</key>"),
            ("TaskScheduler", "<StartWhenAvailable>true</StartWhenAvailable>"),
        })
        {
            workspace.Session.Host.Forget();
            var result =
                workspace.Run($"Register-SHBackupSchedule shown -Daily -At 02:15 -DatabasePath ./app.db -BackupDirectory ./backups -Backend {backend} {how}")
                    .WithoutErrors();
            var text = how == "-AsText" ? Assert.Single(result.As<string>()) : workspace.Session.Host.Shown;
            Assert.Contains(expected, text, StringComparison.Ordinal);
            Assert.Contains("Invoke-SHBackupSchedule -Name ", text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("shbackup shown", sandbox.Crontab, StringComparison.Ordinal);
        Assert.Equal("ScheduleNotFound", workspace.Run("Get-SHBackupSchedule shown").Errors.Single().FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains("SignalHarvester.Backup onlooker:", sandbox.Crontab, StringComparison.Ordinal);
        workspace.Run("Unregister-SHBackupSchedule onlooker -Force").WithoutErrors();
    }

    [Fact]
    public void Unregister_asks_and_WhatIf_removes_nothing()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace("Yes", "No");
        workspace.Run("'ask-a', 'ask-b' | ForEach-Object { Register-SHBackupSchedule $_ -Monthly -Day 31 -DatabasePath ./app.db }").WithoutErrors();
        workspace.Run("Unregister-SHBackupSchedule ask-* -WhatIf").WithoutErrors();
        Assert.Equal(2, workspace.Run("Get-SHBackupSchedule ask-*").Output.Count);
        workspace.Run("Unregister-SHBackupSchedule ask-*").WithoutErrors();
        Assert.Equal("ask-b", workspace.Run("Get-SHBackupSchedule ask-*").As<BackupSchedule>().Single().Name);
        Assert.Equal(2, workspace.Session.Host.Questions.Count);
        workspace.Run("Unregister-SHBackupSchedule ask-b -Force").WithoutErrors();
        Assert.Empty(workspace.Run("Unregister-SHBackupSchedule ask-* -Force").WithoutErrors().Output);
        Assert.Equal("ScheduleNotFound", workspace.Run("Unregister-SHBackupSchedule ask-b -Force").Errors.Single().FullyQualifiedErrorId.Split(',')[0]);
    }

    [Fact]
    public void A_crontab_that_is_refused_leaves_no_schedule_behind()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        var error = Assert.Single(workspace.Run("Register-SHBackupSchedule refused -Daily -DatabasePath ./app.db").Errors);
        Assert.StartsWith("SchedulerFailed,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("can't install", error.Exception.Message, StringComparison.Ordinal);
        Assert.NotEmpty(workspace.Run("Get-SHBackupSchedule refused").Errors);
    }

    [Fact]
    public void What_somebody_did_to_the_crontab_shows()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        var schedule = workspace.Run("Register-SHBackupSchedule tampered -Daily -DatabasePath ./app.db").WithoutErrors().As<BackupSchedule>().Single();
        sandbox.EditCrontab(table => table.Replace("\"tampered\", daily", "\"tampered\", never", StringComparison.Ordinal));
        Assert.Equal(ScheduleStatus.Changed, Status());
        Assert.Equal(
            ScheduleStatus.Registered,
            workspace.Run("Register-SHBackupSchedule tampered -Daily -DatabasePath ./app.db").WithoutErrors().As<BackupSchedule>().Single().Status);
        workspace.Run("Unregister-SHBackupSchedule tampered -Force").WithoutErrors();
        Assert.False(File.Exists(schedule.DefinitionPath));

        ScheduleStatus Status() => workspace.Run("Get-SHBackupSchedule tampered").WithoutErrors().As<BackupSchedule>().Single().Status;
    }

    [Theory]
    [InlineData("program", "gone", ScheduleStatus.Broken, "is gone")]
    [InlineData("module", "gone", ScheduleStatus.Broken, "is gone")]
    [InlineData("module", "other", ScheduleStatus.Changed, "version 0.0.9")]
    public void A_task_whose_program_or_module_moved_is_told_by_the_list_and_by_the_health_whose_command_mends_it(
        string part, string what, ScheduleStatus status, string told)
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        var name = $"moved-{part}-{what}";
        var schedule = workspace.Run($"Register-SHBackupSchedule {name} -Daily -DatabasePath ./app.db -BackupDirectory ./backups")
            .WithoutErrors().As<BackupSchedule>().Single();
        workspace.MakeBackup();
        var other = workspace["other.psd1"];
        File.WriteAllText(other, "@{}");
        var written = JsonNode.Parse(File.ReadAllText(schedule.DefinitionPath))!;
        written["command"]![part] = what == "gone" ? workspace["gone", part] : other;
        written["command"]!["module_version"] = "0.0.9";
        File.WriteAllText(schedule.DefinitionPath, written.ToJsonString());
        var listed = workspace.Run($"Get-SHBackupSchedule {name}").WithoutErrors().As<BackupSchedule>().Single();
        Assert.Equal(status, listed.Status);
        Assert.Contains(told, listed.StatusReason, StringComparison.Ordinal);

        var check = workspace.Run("Get-SHBackupHealth").WithoutErrors().As<BackupHealth>().Single().Checks.Single(check => check.Check == "Schedule");
        Assert.Equal(status == ScheduleStatus.Broken ? HealthStatus.Critical : HealthStatus.Warning, check.Status);
        Assert.Contains(told, check.Reason, StringComparison.Ordinal);

        var mended = workspace.Run(check.Command!).WithoutErrors().As<BackupSchedule>().Single();
        Assert.Equal((ScheduleStatus.Registered, null), (mended.Status, mended.StatusReason));
        Assert.Equal(schedule.Trigger, mended.Trigger);
        Assert.Equal(schedule.DatabasePath, mended.DatabasePath);
        workspace.Run($"Unregister-SHBackupSchedule {name} -Force").WithoutErrors();
    }

    [Theory]
    [InlineData("./ap.db", "ap.db")]
    [InlineData("./app.db, ./b*.db", "b*.db")]
    [InlineData(".", "")]
    public void A_database_that_is_not_there_is_refused_at_once_but_for_Force(string paths, string named)
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        var register = $"Register-SHBackupSchedule typo -Daily -BackupDirectory ./backups -DatabasePath {paths}";
        var error = Assert.Single(workspace.Run(register).Errors);
        Assert.Equal(BackupErrorId.SourceNotFound, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Contains(named, error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(workspace.Run("Get-SHBackupSchedule typo*").Output);
        workspace.Run(register + " -AsText").WithoutErrors();
        workspace.Run(register + " -Force | Unregister-SHBackupSchedule -Force").WithoutErrors();
    }

    [Fact]
    public void A_missing_database_of_the_settings_file_is_told_once_and_nothing_is_registered()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Configure("app:\n  database_path: gone.db\n  backup:\n    backup_dir: backups\n");
        var error = Assert.Single(workspace.Run("Register-SHBackupSchedule -FromConfiguration -Name absent").Errors);
        Assert.Equal(BackupErrorId.SourceNotFound, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Empty(workspace.Run("Get-SHBackupSchedule absent*").Output);
    }

    [Fact]
    public void The_time_of_the_next_run_is_told_on_the_clock_of_the_reader_too()
    {
        using var host = new ScheduleHost();
        host.Install("crontab", FakeSchedulers.Crontab);
        var result = host.Run("""
            $env:TZ = 'America/New_York'; [TimeZoneInfo]::ClearCachedData()
            Register-SHBackupSchedule abroad -Daily -At 02:00 -DatabasePath ./app.db -WhatIf
            $schedule = Register-SHBackupSchedule abroad -Daily -At 02:00 -DatabasePath ./app.db
            $schedule.NextRunLocal.ToString('HH:mm zzz')
            $schedule | Format-Table | Out-String -Width 80
            $schedule | Format-List
            """);
        Assert.Matches("\\(daily at 02:00 UTC, next [0-9-]+ 2[12]:00 on this machine's clock; Cron\\)", result.Output);
        Assert.Matches("(?m)^(21:00 -05|22:00 -04):00$", result.Output);
        Assert.Matches(@"(?m)daily at 02:00 UTC\r?\n +\(next: [A-Z][a-z]{2} 2[12]:00 here\)", result.Output);
        Assert.Matches("NextRunLocal +: [0-9-]+ 2[12]:00:00-0[45]:00", result.Output);
    }

    [Fact]
    public void One_call_registers_backup_scrub_and_drill_of_a_database_and_a_pattern_takes_them_back()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        Databases.Create(workspace["shop floor.db"], new DatabaseShape { Rows = 20 });
        const string register =
            "Register-SHBackupSchedule -Recommended './shop floor.db' -BackupDirectory ./backups -At 23:00 -To ./offsite -CreateContainer";
        Assert.Empty(workspace.Run(register + " -WhatIf").WithoutErrors().Output);
        Assert.Matches(
            "\"shop floor-nightly\" .*which backs up '.*shop floor.db' to '.*backups' and .*offsite.*, and applies the retention rules",
            workspace.Session.Host.Shown);
        Assert.Contains("reads the stored files in", workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.Contains("restores the newest backup of", workspace.Session.Host.Shown, StringComparison.Ordinal);
        Assert.Empty(workspace.Run("Get-SHBackupSchedule 'shop floor*'").Output);

        var schedules = workspace.Run(register).WithoutErrors().As<BackupSchedule>();
        Assert.Equal(
            [
                "shop floor-nightly Backup daily at 23:00 UTC", "shop floor-scrub Scrub weekly on Sunday at 00:30 UTC",
                "shop floor-drill Drill monthly on day 1 at 01:00 UTC",
            ],
            schedules.Select(schedule => $"{schedule.Name} {schedule.Action} {schedule.Trigger}"));
        var runs = workspace.Run("'nightly', 'nightly', 'scrub', 'drill' | ForEach-Object { Invoke-SHBackupSchedule \"shop floor-$_\" }")
            .WithoutErrors().As<ScheduleRun>();
        Assert.Equal(
            [
                "Create Verify Upload Retention", "Create Verify Upload Retention", "Scrub", "List Drill",
            ],
            runs.Select(run => string.Join(' ', run.Steps.Select(step => step.Step))));
        Assert.Equal([BackupType.Full, BackupType.Incremental], workspace.Run("Get-SHBackup").As<BackupMetadata>().Select(backup => backup.Type).Order());
        Assert.Equal(2, Directory.GetFiles(workspace["offsite"], "*.json").Length);

        workspace.Run("Unregister-SHBackupSchedule 'shop floor-*' -Force").WithoutErrors();
        Assert.Empty(workspace.Run("Get-SHBackupSchedule 'shop floor*'").Output);
    }

    [Fact]
    public void The_command_of_the_health_report_gives_a_database_all_schedules_that_it_needs()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        Databases.Create(workspace["solo.db"], new DatabaseShape { Rows = 20 });
        workspace.Run("New-SHBackup ./solo.db").WithoutErrors();
        var command = Schedule().Command!;
        Assert.Equal(
            ["solo-nightly", "solo-scrub", "solo-drill"], workspace.Run(command).WithoutErrors().As<BackupSchedule>().Select(schedule => schedule.Name));
        Assert.Equal(HealthStatus.Ok, Schedule().Status);
        workspace.Run("Unregister-SHBackupSchedule solo-* -Force").WithoutErrors();

        HealthCheck Schedule() =>
            workspace.Run("Get-SHBackupHealth").WithoutErrors().As<BackupHealth>().Single().Checks.Single(check => check.Check == "Schedule");
    }

    [Fact]
    public void Recommended_schedules_of_several_databases_have_a_name_in_common()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        Databases.Create(workspace["b.db"], new DatabaseShape { Rows = 5 });
        foreach (var (parameters, first) in new[]
        {
            ("./app.db, ./b.db", "shbackup-nightly"), ("./*.db", "shbackup-nightly"), ("./*.db -Name all", "all-nightly"),
        })
        {
            var text = workspace.Run($"Register-SHBackupSchedule -Recommended {parameters} -Backend Systemd -AsText").WithoutErrors().As<string>();
            Assert.Equal(3, text.Count);
            Assert.Contains($"shbackup-{first}.timer", text[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void OnFailure_starts_a_unit_of_systemd_and_needs_systemd()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        const string register = "Register-SHBackupSchedule failing -Daily -DatabasePath ./app.db -AsText -OnFailure ";
        Assert.Contains(
            "OnFailure=notify@%n.service\n",
            Assert.Single(workspace.Run(register + "notify@%n.service -Backend Systemd").WithoutErrors().As<string>()), StringComparison.Ordinal);
        foreach (var wrong in new[] { "notify@%n.service -Backend Cron", "nobody -Backend Systemd" })
        {
            var error = Assert.Single(workspace.Run(register + wrong).Errors);
            Assert.StartsWith("InvalidArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Equal("OnFailure", error.TargetObject);
        }
    }

    [Fact]
    public void Schedules_and_runs_come_out_of_a_job_as_they_went_in()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run("Register-SHBackupSchedule job -Monthly -Day 15 -DatabasePath ./app.db, ./missing*.db -BackupDirectory ./backups -Force").WithoutErrors();
        var run = workspace.Run("Invoke-SHBackupSchedule job -ErrorAction Ignore").As<ScheduleRun>().Single();
        var again = workspace.Run($"$args[0] | {ThroughAJob}", run).WithoutErrors().As<ScheduleRun>().Single();
        Assert.Equal(ScheduleResult.Partial, again.Result);
        Assert.Equal(3, again.ExitCode);
        Assert.Equal(run.Steps, again.Steps);
        Assert.Equal(run.Backups, again.Backups);
        Assert.Equal(run.Started, again.Started);
        var schedule = workspace.Run($"Get-SHBackupSchedule job | {ThroughAJob}").WithoutErrors().As<BackupSchedule>().Single();
        Assert.Equal(15, schedule.Trigger.Day);
        Assert.Equal(ScheduleResult.Partial, schedule.LastResult);
        Assert.Equal(run.Backups[0], schedule.LastBackup);
        Assert.Contains("missing", schedule.LastError, StringComparison.Ordinal);
        workspace.Run("Unregister-SHBackupSchedule job -Force").WithoutErrors();
    }

    [Fact]
    public void Registered_at_once_none_is_lost()
    {
        FakeSchedulers.SkipWhereNone();
        Parallel.For(0, 6, index =>
        {
            using var workspace = new Workspace();
            workspace.Run($"Register-SHBackupSchedule race-{index} -Daily -DatabasePath ./app.db").WithoutErrors();
        });
        using var last = new Workspace();
        var schedules = last.Run("Get-SHBackupSchedule race-*").WithoutErrors().As<BackupSchedule>();
        Assert.Equal(6, schedules.Count);
        Assert.All(schedules, schedule => Assert.Equal(ScheduleStatus.Registered, schedule.Status));
        last.Run("Get-SHBackupSchedule race-* | Unregister-SHBackupSchedule -Force").WithoutErrors();
        Assert.DoesNotContain("race-", sandbox.Crontab, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schedule_of_retention_alone_makes_no_backup_and_a_run_prunes_only_what_it_backed_up()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        foreach (var database in new[] { workspace.Database, "/srv/another.db" })
        {
            foreach (var age in new[] { 10, 11, 12 })
            {
                workspace.AddBackup(TimeSpan.FromDays(age) + TimeSpan.FromMinutes(database.Length), sidecar =>
                {
                    sidecar["retention_policy"] = "daily";
                    sidecar["db_path"] = database;
                });
            }
        }

        workspace.Run(
            "Register-SHBackupSchedule keeper -Daily -RetentionOnly -KeepDaily 2 -BackupDirectory ./backups; Register-SHBackupSchedule maker -Daily -KeepDaily 1 -DatabasePath ./app.db -BackupDirectory ./backups")
            .WithoutErrors();
        Assert.Equal("3 removed, 1 kept", Detail("Invoke-SHBackupSchedule maker", added: 1));
        Assert.Equal("1 removed, 3 kept", Detail("Invoke-SHBackupSchedule keeper", added: 0));
        workspace.Run("Unregister-SHBackupSchedule keeper, maker -Force").WithoutErrors();

        string Detail(string script, int added)
        {
            var run = workspace.Run(script).WithoutErrors().As<ScheduleRun>().Single();
            Assert.Equal(added, run.Backups.Count);
            return run.Steps.Single(step => step.Step == "Retention").Detail;
        }
    }

    [Fact]
    public void A_table_shows_when_it_runs_next_and_how_it_went_out_of_a_job_too()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run("Register-SHBackupSchedule table -Weekly -DatabasePath ./app.db -BackupDirectory ./backups").WithoutErrors();
        var run = workspace.Session.Render("Invoke-SHBackupSchedule table");
        Assert.Matches(@"table +\d{4}-\d\d-\d\d \d\d:\d\d +Succeeded +1 +Create Succeeded, Verify Succeeded, Retention Succeeded", run);
        foreach (var way in new[] { string.Empty, " | " + ThroughAJob })
        {
            var shown = workspace.Session.Render("Get-SHBackupSchedule table" + way);
            Assert.Matches(@"Name +Status +NextRun \(UTC\) +LastResult +Trigger or error", shown);
            Assert.Matches(@"table +Registered +\d{4}-\d\d-\d\d 02:00 +Succeeded +weekly on Sunday at 02:00 UTC", shown);
        }

        Assert.Matches(@"Create +Succeeded +app.db +Full", workspace.Session.Render("(Invoke-SHBackupSchedule table).Steps"));
        workspace.Run("Unregister-SHBackupSchedule table -Force").WithoutErrors();
    }

    [Fact]
    public void A_scheduler_that_was_asked_for_and_cannot_be_used_is_named()
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "launchd can be used there");
        using var workspace = new Workspace();
        var message = Assert.Single(workspace.Run("Register-SHBackupSchedule x -Daily -DatabasePath ./app.db -Backend Launchd").Errors).Exception.Message;
        Assert.StartsWith("Launchd cannot be used here:", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_completed_quoted_where_they_must_be()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.Run("Register-SHBackupSchedule \"tab it's\" -Daily -DatabasePath ./app.db; Register-SHBackupSchedule tabular -Daily -DatabasePath ./app.db")
            .WithoutErrors();
        foreach (var command in new[] { "Get", "Invoke", "Unregister", "Update" })
        {
            var offered = workspace.Session.Complete($"{command}-SHBackupSchedule tab");
            Assert.Equal(["'tab it''s'", "tabular"], offered.Select(item => item.CompletionText));
            Assert.Equal("daily at 02:00 UTC", offered[1].ToolTip);
        }

        Assert.Equal(["'tab it''s'", "tabular"], workspace.Session.Complete("Get-SHBackupHistory -Schedule tab").Select(item => item.CompletionText));
        workspace.Run("Unregister-SHBackupSchedule tab* -Force").WithoutErrors();
    }

    [Fact]
    public void A_settings_file_is_registered_in_one_call_and_what_it_switches_off_is_removed()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        Directory.CreateDirectory(workspace["config"]);
        Write("");
        var schedules = workspace.Run("Register-SHBackupSchedule -FromConfiguration -Name fleet -ConfigurationPath ./config/settings.yaml")
            .WithoutErrors().As<BackupSchedule>();
        Assert.Equal(
            [
                "fleet-daily: daily at 01:10 UTC", "fleet-weekly: weekly on Sunday at 03:00 UTC", "fleet-monthly: monthly on day 1 at 04:00 UTC",
                "fleet-retention: daily at 05:00 UTC",
            ],
            schedules.Select(schedule => $"{schedule.Name}: {schedule.Trigger}"));
        Assert.All(schedules, schedule => Assert.Equal(workspace["config", "settings.yaml"], schedule.ConfigurationPath));

        var made = workspace.Run("Invoke-SHBackupSchedule fleet-weekly").WithoutErrors().As<ScheduleRun>().Single();
        Assert.Equal(["Create", "Verify"], made.Steps.Select(step => step.Step));
        Assert.Equal(RetentionPolicy.Weekly, workspace.Run("Get-SHBackup").As<BackupMetadata>().Single().RetentionPolicy);
        var kept = workspace.Run("Invoke-SHBackupSchedule fleet-retention").WithoutErrors().As<ScheduleRun>().Single();
        Assert.Equal("0 removed, 1 kept", Assert.Single(kept.Steps).Detail);

        Write("      weekly_enabled: false\n      hourly_enabled: true\n");
        workspace.Run("Register-SHBackupSchedule -FromConfiguration -Name fleet").WithoutErrors();
        Assert.Equal(
            ["fleet-daily", "fleet-hourly", "fleet-monthly", "fleet-retention"],
            workspace.Run("Get-SHBackupSchedule fleet*").As<BackupSchedule>().Select(schedule => schedule.Name));

        Write("      typo: 1\n");
        Assert.StartsWith(
            "ConfigurationInvalid,", workspace.Run("Invoke-SHBackupSchedule fleet-daily").Errors.Single().FullyQualifiedErrorId, StringComparison.Ordinal);
        File.Delete(workspace["config", "settings.yaml"]);
        Assert.Equal(ScheduleResult.Failed, workspace.Run("Get-SHBackupSchedule fleet-daily").As<BackupSchedule>().Single().LastResult);
        workspace.Run("Unregister-SHBackupSchedule fleet-* -Force").WithoutErrors();

        void Write(string more) => File.WriteAllText(
            workspace["config", "settings.yaml"],
            $"app:\n  database_path: app.db\n  backup:\n    backup_dir: backups\n    schedule:\n      daily_time: \"01:10\"\n{more}");
    }

    [Theory]
    [InlineData("-Every 30s", "Every")]
    [InlineData("-Every 90s", "Every")]
    [InlineData("-Every 2mo", "Every")]
    [InlineData("-Daily -At 02:00:30", "At")]
    [InlineData("-Daily -RandomDelay 2d", "RandomDelay")]
    [InlineData("-Daily -Upload", "To")]
    [InlineData("-Daily -Provider S3 -Bucket b", "Provider")]
    public void What_makes_no_sense_is_refused(string parameters, string target)
    {
        using var workspace = new Workspace();
        var error = Assert.Single(workspace.Run("Register-SHBackupSchedule nonsense -DatabasePath ./app.db -AsText -Backend Cron " + parameters).Errors);
        Assert.StartsWith("InvalidArgument,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(target, error.TargetObject);
    }
}
