namespace SignalHarvester.Backup.Host;

/// <summary>The parsed command line.</summary>
/// <param name="Mode">What to do.</param>
/// <param name="Text">The command text or the script's full path; empty in the other modes.</param>
/// <param name="Arguments">The script's arguments, as given.</param>
internal sealed record CommandLine(RunMode Mode, string Text, IReadOnlyList<string> Arguments)
{
    /// <summary>The text that -Help prints.</summary>
    public const string Usage = """
        shbackup: runs PowerShell with the SignalHarvester.Backup module loaded, where no pwsh is installed.

        Usage:
          shbackup -Command <text>               run a pipeline; all that follows is joined with spaces
          shbackup -File <script.ps1> [args]     run a script
          shbackup < script.ps1                  run standard input as one script (also: -Command -)
          shbackup                               prompt for commands, when standard input is a terminal
          shbackup -Help | -Version

        Short forms: -c, -f, -h, -v. Options may also be written with two dashes.

        Only the engine's own commands are there, such as Where-Object, ForEach-Object and Get-Help;
        Select-Object, Format-List and the like take pwsh.

        Objects go to standard output; errors, warnings, verbose and debug messages go to standard error.
        Colours and progress are shown only on a terminal, and colours only while NO_COLOR is unset.
        With -Command, lines of standard input are $input if the text uses it. Without a terminal nothing
        is asked: a question is an error. -Confirm:$false or -Force answers in advance.

        Ctrl+C and SIGTERM stop the pipeline and wait for its clean-up; the third one kills.

        Exit code: 0 success; 1 the last command failed or a terminating error ended the run; n after
        'exit n'; 64 wrong usage; 129, 130 or 143 stopped by SIGHUP, SIGINT or SIGTERM.

        The module is looked for at SHBACKUP_MODULE_PATH, then in modules/SignalHarvester.Backup beside
        this program, then in out/SignalHarvester.Backup of the folders above it.
        """;

    /// <summary>Parses the arguments of the process.</summary>
    /// <exception cref="UsageException">An option is unknown or lacks its value, or the script does not exist.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args, bool inputRedirected)
    {
        if (args.Count == 0)
        {
            return Simple(inputRedirected ? RunMode.StandardInput : RunMode.Interactive);
        }

        IReadOnlyList<string> rest = [.. args.Skip(1)];
        return Option(args[0]) switch
        {
            "command" or "c" => Command(rest),
            "file" or "f" => File(rest),
            "help" or "h" or "?" => Simple(RunMode.Help),
            "version" or "v" => Simple(RunMode.Version),
            _ => throw new UsageException($"'{args[0]}' is not an option of shbackup. Use -Command, -File, -Help or -Version."),
        };
    }

    private static string? Option(string argument) => argument switch
    {
        ['-', '-', .. var name] => name.ToLowerInvariant(),
        ['-', .. var name] => name.ToLowerInvariant(),
        _ => null,
    };

    private static CommandLine Simple(RunMode mode) => new(mode, string.Empty, []);

    private static CommandLine Command(IReadOnlyList<string> rest) => rest switch
    {
        [] => throw new UsageException("-Command needs the text of a pipeline."),
        ["-"] => Simple(RunMode.StandardInput),
        _ => new CommandLine(RunMode.Command, string.Join(' ', rest), []),
    };

    private static CommandLine File(IReadOnlyList<string> rest)
    {
        if (rest.Count == 0)
        {
            throw new UsageException("-File needs the path of a script.");
        }

        string path = Path.GetFullPath(rest[0]);
        if (!path.EndsWith(".ps1", StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"-File '{rest[0]}': a script's name must end in .ps1.");
        }

        return System.IO.File.Exists(path)
            ? new CommandLine(RunMode.File, path, [.. rest.Skip(1)])
            : throw new UsageException($"-File '{rest[0]}': there is no such file.");
    }
}
