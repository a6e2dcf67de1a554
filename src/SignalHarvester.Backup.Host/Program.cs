using System.Management.Automation;
using System.Reflection;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Host;

/// <summary>The entry of <c>shbackup</c>.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        // The engine would report module names to its makers; a backup tool calls nobody unasked.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        try
        {
            CommandLine commandLine = CommandLine.Parse(args, Console.IsInputRedirected);
            switch (commandLine.Mode)
            {
                case RunMode.Help:
                    Console.Out.WriteLine(CommandLine.Usage);
                    return ExitCode.Success;
                case RunMode.Version:
                    Console.Out.WriteLine($"shbackup {Version(typeof(Program))} (PowerShell {Version(typeof(PSObject))}, {RuntimeInformation.FrameworkDescription})");
                    return ExitCode.Success;
                default:
                    using (Session session = new())
                    {
                        return session.Run(commandLine);
                    }
            }
        }
        catch (UsageException wrong)
        {
            Console.Error.WriteLine($"shbackup: {wrong.Message} 'shbackup -Help' shows the usage.");
            return ExitCode.Usage;
        }
        catch (TypeInitializationException start) when (start.GetBaseException() is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"shbackup: PowerShell cannot start, because it cannot make its folders below the home directory: {start.GetBaseException().Message}. Free some space there, or set HOME to a folder that this account may write to.");
            return ExitCode.Failure;
        }
        catch (ModuleMissingException missing)
        {
            Console.Error.WriteLine($"shbackup: {missing.Message}");
            return ExitCode.Failure;
        }
    }

    private static string Version(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split(' ', '+')[0];
}
