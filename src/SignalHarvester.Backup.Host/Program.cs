using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.PowerShell;

namespace SignalHarvester.Backup.Host;

/// <summary>The entry of <c>shbackup</c>: PowerShell's own console, with the module in its initial session.</summary>
internal static class Program
{
    private const int Failure = 1;
    private const int Interrupted = 130;

    private const string Help = """
        shbackup: PowerShell with the SignalHarvester.Backup module loaded, where no pwsh is installed.

        Usage:
          shbackup -Command <text>               run a pipeline; all that follows is joined with spaces
          shbackup -File <script.ps1> [args]     run a script
          shbackup < script.ps1                  run standard input as one script
          shbackup                               prompt for commands, when standard input is a terminal
          shbackup -Help | -Version

        It takes the options of pwsh, runs no profile, and asks nothing where standard input or output is not a
        terminal: a question is an error there. -Confirm:$false or -Force answers in advance.

        Exit code: 0 success; 1 the last command of -Command failed, a terminating error ended the run, or the module
        is missing; n after 'exit n'; 64 wrong usage; 70 the module cannot be loaded; 129, 130 or 143 stopped by
        SIGHUP, SIGINT or SIGTERM.

        The module is looked for at SHBACKUP_MODULE_PATH, then in Modules/SignalHarvester.Backup beside this program,
        then in out/SignalHarvester.Backup of the folders above it.
        """;

    // If one of them is not a terminal, nobody can be asked, and nobody can look into $Error afterwards.
    private static bool IsUnattended => Console.IsInputRedirected || Console.IsOutputRedirected;

    private static string Banner => $"shbackup {Version(typeof(Program))} (PowerShell {Version(typeof(PSObject))}, {RuntimeInformation.FrameworkDescription})";

    // A session that could not be opened leaves a thread behind, and the end of Main would wait for it.
    private static void Main(string[] args) => Environment.Exit(Run(args));

    private static int Run(string[] args)
    {
        // A backup tool contacts nobody unasked: it sends no names of modules, and looks for no news of PowerShell.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        Environment.SetEnvironmentVariable("POWERSHELL_UPDATECHECK", "Off");
        var module = ModuleLocator.Find(AppContext.BaseDirectory);
        if (!Path.Exists(module) && !IsAboutItself(args))
        {
            return Fail(
                $"The module is missing: there is no '{module}'. Build the solution (dotnet build -c Release), or set {ModuleLocator.Variable} to the module's folder.");
        }

        var isInterrupted = false;
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => isInterrupted = true);
        try
        {
            if (Console.IsOutputRedirected || Console.IsErrorRedirected)
            {
                PSStyle.Instance.OutputRendering = OutputRendering.PlainText;
            }

            var code = ConsoleShell.Start(SessionWith(module), Banner, Help, Arguments(args));

            // To PowerShell, a command that Ctrl+C stopped has failed like any other.
            return isInterrupted && code == Failure ? Interrupted : code;
        }
        catch (TypeInitializationException start) when (start.GetBaseException() is IOException or UnauthorizedAccessException)
        {
            return Fail(
                $"PowerShell cannot start, because it cannot make its folders below the home directory: {start.GetBaseException().Message}. Free some space there, or set HOME to a folder that this account may write to.");
        }
    }

    private static InitialSessionState SessionWith(string module)
    {
        var session = InitialSessionState.CreateDefault2();
        session.ImportPSModule(module);

        // An attended session first looks for a line editor (PSReadLine), which does not exist here. If that ended it, it would lose the
        // module.
        session.ThrowOnRunspaceOpenError = IsUnattended;

        // PowerShell puts its own folder first. A schedule stores the first shbackup on the PATH, which an update leaves in its place.
        session.EnvironmentVariables.Add(new SessionStateVariableEntry("PATH", Environment.GetEnvironmentVariable("PATH"), description: null));
        if (OperatingSystem.IsWindows())
        {
            // Whoever starts this program has chosen what it runs; the policy only guards against double clicks.
            session.ExecutionPolicy = ExecutionPolicy.Bypass;
        }

        return session;
    }

    private static string[] Arguments(string[] args) =>
    [
        "-NoProfile",
        .. IsUnattended ? ["-NonInteractive"] : Array.Empty<string>(),

        // PowerShell would read standard input line by line, as if it were typed.
        .. args.Length == 0 && Console.IsInputRedirected ? ["-Command", Console.In.ReadToEnd()] : args,
    ];

    private static bool IsAboutItself(string[] args) =>
        args is [var option] && option.TrimStart('-').ToUpperInvariant() is "H" or "HELP" or "?" or "V" or "VERSION";

    private static int Fail(string reason)
    {
        Console.Error.WriteLine($"shbackup: {reason}");
        return Failure;
    }

    private static string Version(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split(' ', '+')[0];
}
