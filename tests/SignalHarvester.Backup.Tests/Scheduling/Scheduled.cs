using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>Schedules for tests, and texts that careless quoting would break.</summary>
internal static class Scheduled
{
    public static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    public static readonly ScheduleTrigger Daily = new() { Frequency = ScheduleFrequency.Daily, At = TimeSpan.FromHours(2) };

    public static readonly ScheduleTrigger Always = new() { Frequency = ScheduleFrequency.Continuous };

    public static readonly string[] HostileTexts =
    [
        "plain",
        "two words",
        "it's \"quoted\" 'twice'",
        "$HOME ${HOME} $(id) `id` $$ $1",
        "100% %p %% %PATH% \\% \\\\% \\",
        "back\\slash \\\\ two \\\\\\ three\\",
        "C:\\a b\\\"c\\\\\"d \\\" e",
        "a\nnew line\r\n* * * * * root touch /tmp/shbackup-injected\n",
        "tab\tbell\a escape\u001b[31m nel\u0085 ls\u2028",
        "Größe 漢字 🗄 ‘curly’ “double” „low“ ‚single",
        "]]> <tag attr=\"1\"> &amp; -- --> <!-- ",
        "; rm -rf / # & | > < * ? [a-z] {a,b} ~ !",
        "-Name --help /TN",
        "ExecStart=/bin/false\n[Service]\nExecStartPre=/bin/false",
        "trailing space ",
        " leading",
        "\u202Eright to left\u200B zero width \uFEFF",
    ];

    public static ScheduleDefinition Definition(string name = "nightly", ScheduleTrigger? trigger = null) => new()
    {
        Name = name,
        Description = "of " + name,
        Trigger = trigger ?? Daily,
        Registered = Now,
        Job = new ScheduleJob { Databases = ["/srv/app.db"], BackupDirectory = "/srv/backups" },
        Command = new TaskCommand("/usr/bin/env", ["-Command", name, "", "last"], new Dictionary<string, string>()),
    };
}
