using System.Management.Automation.Runspaces;

namespace SignalHarvester.Backup.Host;

/// <summary>Hands the arguments of the command line to a script as its parameters.</summary>
internal static class ScriptArguments
{
    /// <summary>Makes the command that runs a script.</summary>
    /// <param name="name">The function that holds the script.</param>
    /// <param name="arguments">
    /// <c>-Name</c> is a switch or takes the next argument, as the script declares it; <c>-Name:value</c>
    /// is both in one, where <c>$true</c> and <c>$false</c> are booleans; all others are positional strings.
    /// </param>
    public static Command Bind(string name, IEnumerable<string> arguments)
    {
        Command command = new(name, isScript: false, useLocalScope: false);
        foreach (string argument in arguments)
        {
            command.Parameters.Add(Parameter(argument));
        }

        return command;
    }

    private static CommandParameter Parameter(string argument)
    {
        if (argument.Length < 2 || argument[0] != '-' || !(char.IsLetter(argument[1]) || argument[1] == '_'))
        {
            return new CommandParameter(name: null, argument);
        }

        int colon = argument.IndexOf(':', StringComparison.Ordinal);
        return colon < 0
            ? new CommandParameter(argument)
            : new CommandParameter(argument[..(colon + 1)], Value(argument[(colon + 1)..]));
    }

    private static object Value(string text) => text.ToUpperInvariant() switch
    {
        "$TRUE" => true,
        "$FALSE" => false,
        _ => text,
    };
}
