namespace SignalHarvester.Backup.Scheduling;

/// <summary>The folders of the schedules of one scope, in the platform's usual places.</summary>
/// <param name="Definitions">The folder of the definitions.</param>
/// <param name="State">The folder of the last runs' results, and of the locks of present runs.</param>
internal sealed record ScheduleFolders(string Definitions, string State)
{
    private const string Product = "shbackup";
    private const string Schedules = "schedules";

    /// <summary>Returns the folders of a scope.</summary>
    public static ScheduleFolders Of(ScheduleScope scope) => scope == ScheduleScope.System ? OfSystem() : OfUser();

    private static ScheduleFolders OfUser() => OperatingSystem.IsWindows() || OperatingSystem.IsMacOS()
        ? Beside(Path.Combine(Known(Environment.SpecialFolder.LocalApplicationData), Product))
        : new ScheduleFolders(
            Path.Combine(Known(Environment.SpecialFolder.ApplicationData), Product, Schedules),
            Path.Combine(StateHome(), Product, Schedules));

    private static ScheduleFolders OfSystem() =>
        OperatingSystem.IsWindows() ? Beside(Path.Combine(Known(Environment.SpecialFolder.CommonApplicationData), Product))
        : OperatingSystem.IsMacOS() ? Beside("/Library/Application Support/" + Product)
        : new ScheduleFolders($"/etc/{Product}/{Schedules}", $"/var/lib/{Product}/{Schedules}");

    private static ScheduleFolders Beside(string folder) => new(Path.Combine(folder, Schedules), Path.Combine(folder, "state"));

    private static string StateHome() => Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } chosen && Path.IsPathRooted(chosen)
        ? chosen
        : Path.Combine(Known(Environment.SpecialFolder.UserProfile), ".local", "state");

    private static string Known(Environment.SpecialFolder folder) =>
        Environment.GetFolderPath(folder, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } path
            ? path
            : throw new BackupException(
                BackupErrorId.SchedulerUnavailable, BackupErrorCategory.ObjectNotFound, folder.ToString(),
                "This account has no home directory, so there is no place for its schedules. Set HOME, or use -Scope System.");
}
