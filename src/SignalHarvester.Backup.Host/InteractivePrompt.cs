using System.Management.Automation;
using System.Management.Automation.Language;

namespace SignalHarvester.Backup.Host;

/// <summary>Reads commands from the terminal and runs them until <c>exit</c>.</summary>
internal sealed class InteractivePrompt(Engine engine, ConsoleHost host, Terminal terminal, LineEditor editor, StopSignals signals)
{
    private CommandCompletion? completion;
    private string completed = string.Empty;

    /// <summary>Reads and runs commands until <c>exit</c>, the end of the input or a signal to end.</summary>
    /// <returns>How the last command ended.</returns>
    public Outcome Run()
    {
        Outcome last = Outcome.Succeeded;
        while (host.RequestedExit is null && !signals.IsEndRequested)
        {
            engine.Renew();
            signals.Reset();
            string? command;
            try
            {
                command = this.Read();
            }
            catch (OperationCanceledException)
            {
                continue;
            }

            if (command is null)
            {
                break;
            }

            if (command.Length > 0)
            {
                last = engine.RunScript(command);
            }
        }

        return last;
    }

    /// <summary>Lets a waiting pipeline's user run commands until <c>exit</c>.</summary>
    public void RunNested()
    {
        Questions.ThrowIfNobodyAnswers(terminal);
        engine.Nest(() =>
        {
            while (host.RequestedExit is null)
            {
                string? command;
                try
                {
                    command = this.Read();
                }
                catch (OperationCanceledException)
                {
                    throw new PipelineStoppedException();
                }

                if (command is null)
                {
                    break;
                }

                engine.RunScript(command);
            }
        });

        // This exit left the nested prompt, not the program.
        host.RequestedExit = null;
    }

    private string? Read()
    {
        string prompt = engine.Evaluate("prompt") as string ?? "PS> ";
        string text = string.Empty;
        while (true)
        {
            string? line = editor.ReadCommand(prompt, this.Complete, engine.Stopping);
            if (line is null)
            {
                return text.Length == 0 ? null : string.Empty;
            }

            text = text.Length == 0 ? line : text + "\n" + line;
            Parser.ParseInput(text, out _, out ParseError[] errors);
            if (!Array.Exists(errors, error => error.IncompleteInput))
            {
                return text.Trim();
            }

            prompt = ">> ";
        }
    }

    // A Tab right after a Tab goes on to the next match.
    private (string Text, int Position) Complete(string text, int position)
    {
        if (completion is null || text != completed)
        {
            completion = engine.Complete(text, position);
            completed = text;
        }

        CompletionResult? match = completion.GetNextResult(forward: true);
        if (match is null)
        {
            completion = null;
            return (text, position);
        }

        int start = completion.ReplacementIndex;
        string tail = completed[(start + completion.ReplacementLength)..];
        completed = completed[..start] + match.CompletionText + tail;
        completion.ReplacementLength = match.CompletionText.Length;
        return (completed, start + match.CompletionText.Length);
    }
}
