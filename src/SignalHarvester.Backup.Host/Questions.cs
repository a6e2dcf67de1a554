using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace SignalHarvester.Backup.Host;

/// <summary>Asks the person at the terminal; without one, every question is an error.</summary>
/// <param name="terminal">Where the questions appear.</param>
/// <param name="editor">Where the answers are typed.</param>
/// <param name="stopping">The token of the running pipeline: stopping it gives up the question.</param>
internal sealed class Questions(Terminal terminal, LineEditor editor, Func<CancellationToken> stopping)
{
    /// <summary>Fails if there is no terminal on which to ask.</summary>
    /// <exception cref="HostException">There is none.</exception>
    public static void ThrowIfNobodyAnswers(Terminal terminal)
    {
        if (!terminal.CanAsk)
        {
            throw new HostException(
                "A question had to be asked, but there is no terminal to ask it on. "
                + "Give the value as a parameter, or answer in advance with -Force or -Confirm:$false.",
                innerException: null,
                "NoTerminal",
                ErrorCategory.ResourceUnavailable);
        }
    }

    /// <summary>Reads a line; empty at the end of the input.</summary>
    public string ReadLine(string prompt) => this.Read(prompt, secret: false) ?? string.Empty;

    /// <summary>Reads a line without echo.</summary>
    public SecureString ReadSecret(string prompt)
    {
        SecureString secret = new();
        foreach (char character in this.Read(prompt, secret: true) ?? string.Empty)
        {
            secret.AppendChar(character);
        }

        secret.MakeReadOnly();
        return secret;
    }

    /// <summary>Asks for a user's name, unless given, and the password.</summary>
    public PSCredential? Credential(string? caption, string? message, string? userName)
    {
        this.Introduce(caption, message);
        string user = string.IsNullOrEmpty(userName) ? this.ReadLine("User: ") : userName;
        return user.Length == 0 ? null : new PSCredential(user, this.ReadSecret($"Password for user {user}: "));
    }

    /// <summary>Asks for values, such as those of missing mandatory parameters.</summary>
    public Dictionary<string, PSObject> Values(string? caption, string? message, Collection<FieldDescription> fields)
    {
        this.Introduce(caption, message);
        return fields.ToDictionary(field => field.Name, this.Value);
    }

    /// <summary>Asks for one of several choices.</summary>
    /// <param name="caption">The heading, if any.</param>
    /// <param name="message">The question.</param>
    /// <param name="choices">Their labels mark the key with an ampersand.</param>
    /// <param name="defaultChoice">What an empty answer means; -1 if nothing.</param>
    /// <returns>The index of the choice.</returns>
    public int Choice(string? caption, string? message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        this.Introduce(caption, message);
        List<(string Key, string Label)> options = [.. choices.Select(choice => KeyAndLabel(choice.Label))];
        string prompt = string.Concat(options.Select(option => $"[{option.Key}] {option.Label}  "))
            + "[?] Help"
            + (defaultChoice >= 0 ? string.Create(CultureInfo.InvariantCulture, $" (default is \"{options[defaultChoice].Key}\")") : string.Empty)
            + ": ";
        while (true)
        {
            string? line = this.Read(prompt, secret: false);
            string answer = line is null ? throw new HostException("The input ended before the question was answered.") : line.Trim();
            if (answer.Length == 0 && defaultChoice >= 0)
            {
                return defaultChoice;
            }

            int index = options.FindIndex(option => Is(answer, option.Key) || Is(answer, option.Label));
            if (index >= 0)
            {
                return index;
            }

            if (answer == "?")
            {
                terminal.Ask(string.Concat(choices.Zip(options, (choice, option) => $"{option.Key} - {choice.HelpMessage}\n")));
            }
        }
    }

    private static bool Is(string answer, string text) => answer.Equals(text, StringComparison.OrdinalIgnoreCase);

    private static (string Key, string Label) KeyAndLabel(string label)
    {
        string text = label.Replace("&", string.Empty, StringComparison.Ordinal);
        int mark = label.IndexOf('&', StringComparison.Ordinal);
        return (mark >= 0 && mark + 1 < label.Length ? label[(mark + 1)..(mark + 2)].ToUpperInvariant() : text, text);
    }

    private PSObject Value(FieldDescription field)
    {
        string label = string.IsNullOrEmpty(field.Label) ? field.Name : KeyAndLabel(field.Label).Label;
        if (field.ParameterTypeFullName == typeof(SecureString).FullName)
        {
            return new PSObject(this.ReadSecret($"{label}: "));
        }

        if (field.ParameterTypeFullName == typeof(PSCredential).FullName)
        {
            return new PSObject(this.Credential(caption: null, label, userName: null));
        }

        return new PSObject(field.ParameterTypeFullName.EndsWith("[]", StringComparison.Ordinal)
            ? this.Elements(label)
            : this.ReadLine($"{label}: "));
    }

    private string[] Elements(string label)
    {
        List<string> elements = [];
        while (this.ReadLine(string.Create(CultureInfo.InvariantCulture, $"{label}[{elements.Count}]: ")) is { Length: > 0 } element)
        {
            elements.Add(element);
        }

        return [.. elements];
    }

    private void Introduce(string? caption, string? message)
    {
        ThrowIfNobodyAnswers(terminal);
        foreach (string? text in (string?[])[caption, message])
        {
            if (!string.IsNullOrEmpty(text))
            {
                terminal.Ask($"\n{text}");
            }
        }

        terminal.Ask("\n");
    }

    private string? Read(string prompt, bool secret)
    {
        ThrowIfNobodyAnswers(terminal);
        try
        {
            return editor.Read(prompt, secret, stopping());
        }
        catch (OperationCanceledException)
        {
            throw new PipelineStoppedException();
        }
    }
}
