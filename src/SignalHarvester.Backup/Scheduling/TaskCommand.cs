using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>The command that a scheduler starts.</summary>
/// <param name="Program">The program's full path.</param>
/// <param name="Arguments">Its arguments, unquoted.</param>
/// <param name="Environment">Variables that it needs in addition to the schedulers' own. Never a secret.</param>
public sealed record TaskCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The module that it loads: the path of its manifest; null if the program has its own.</summary>
    public string? Module { get; init; }

    /// <summary>The version of that module at the registration.</summary>
    public string? ModuleVersion { get; init; }

    /// <summary>The version of this module.</summary>
    internal static string PresentVersion { get; } = typeof(TaskCommand).Assembly.GetName().Version!.ToString(3);

    // These variables tell where this runtime, this module and its files are. A scheduler starts with an environment of its own.
    // NO_COLOR keeps PowerShell's escape sequences out of mails and journals.
    private static readonly string[] Carried = ["DOTNET_ROOT", "SHBACKUP_MODULE_PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME"];

    /// <summary>Returns the command that runs a schedule: in pwsh, or in the host if there is no pwsh.</summary>
    /// <param name="definition">The schedule.</param>
    /// <param name="manifest">The full path of the module's manifest.</param>
    /// <exception cref="BackupException">SchedulerUnavailable: there is neither.</exception>
    internal static TaskCommand Of(ScheduleDefinition definition, string manifest)
    {
        var invoke =
            $"Invoke-SHBackupSchedule -Name {PowerShellText.Literal(definition.Name)}{(definition.Scope == ScheduleScope.System ? " -Scope System" : string.Empty)} -IfDue -AsLog";
        var variables = OperatingSystem.IsWindows()
            ? []
            : Carried.Select(name => (Name: name, Value: System.Environment.GetEnvironmentVariable(name)))
                .Where(variable => !string.IsNullOrEmpty(variable.Value))
                .Append((Name: "NO_COLOR", Value: "1"))
                .ToDictionary(variable => variable.Name, variable => variable.Value!, StringComparer.Ordinal);
        if (Find("pwsh") is { } pwsh)
        {
            // The code is 1 until the command sets another, because a module that does not load is a failure too.
            var text = $"$global:LASTEXITCODE = 1; Import-Module {PowerShellText.Literal(manifest)}; {invoke}; exit $global:LASTEXITCODE";
            return Plain(new TaskCommand(pwsh, ["-NoProfile", "-NonInteractive", "-Command", text], variables)
            {
                Module = manifest,
                ModuleVersion = PresentVersion,
            });
        }

        if (Find("shbackup") is { } host)
        {
            return Plain(new TaskCommand(host, ["-Command", $"$global:LASTEXITCODE = 1; {invoke}; exit $global:LASTEXITCODE"], variables)
            {
                Module = variables.GetValueOrDefault("SHBACKUP_MODULE_PATH"),
            });
        }

        throw Unavailable();
    }

    private static BackupException Unavailable() => new(
        BackupErrorId.SchedulerUnavailable, BackupErrorCategory.ObjectNotFound, "pwsh",
        "Neither pwsh nor shbackup is on the PATH, so a task could not run. Put one of them there, then register the schedule again.");

    /// <summary>
    /// Returns the command that runs a script in a new process, with this module: in the program that runs now, if it can, else in pwsh or the host.
    /// </summary>
    /// <param name="script">The script, which sets the exit code.</param>
    /// <param name="manifest">The full path of the module's manifest.</param>
    /// <exception cref="BackupException">SchedulerUnavailable: there is neither.</exception>
    public static TaskCommand ForPrompt(string script, string manifest)
    {
        var running = System.Environment.ProcessPath;
        var name = Path.GetFileNameWithoutExtension(running);
        var program = name is "pwsh" or "shbackup" ? running! : Find("pwsh") ?? Find("shbackup") ?? throw Unavailable();
        return Path.GetFileNameWithoutExtension(program) == "shbackup"
            ? new TaskCommand(program, ["-Command", script], new Dictionary<string, string>())
            : new TaskCommand(
                program,
                ["-NoProfile", "-NonInteractive", "-Command", $"Import-Module {PowerShellText.Literal(manifest)}; {script}"],
                new Dictionary<string, string>());
    }

    /// <summary>Refuses paths with control characters: a crontab cannot hold a line end, and XML cannot hold most of the others.</summary>
    /// <exception cref="BackupException">InvalidArgument.</exception>
    internal static TaskCommand Plain(TaskCommand command) =>
        command.Environment.Values.Append(command.Program).FirstOrDefault(path => path.Any(char.IsControl)) is { } path
            ? throw BackupException.InvalidArgument(
                path,
                $"'{SingleLine.Of(path)}' contains a control character, which schedulers do not allow. Move PowerShell and this account's folders to another path.")
            : command;

    /// <summary>Returns the first program on the PATH, which an update does not move; else the present program, if it is the right one.</summary>
    private static string? Find(string name)
    {
        var file = OperatingSystem.IsWindows() ? name + ".exe" : name;
        return (System.Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified)
            .Select(folder => Path.Combine(folder, file))
            .FirstOrDefault(File.Exists)
            ?? (System.Environment.ProcessPath is { } running && Path.GetFileName(running).Equals(file, StringComparison.OrdinalIgnoreCase) ? running : null);
    }
}
