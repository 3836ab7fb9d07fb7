using System.Text;

namespace Bulwark.Cli;

/// <summary>Asks for a secret at the terminal: on stderr, without showing it.</summary>
internal static class SecretPrompt
{
    /// <summary>Whether there is anybody to ask.</summary>
    internal static bool IsPossible => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    /// <summary>What was typed up to Enter.</summary>
    internal static string Ask(string prompt)
    {
        Console.Error.Write($"{prompt}: ");
        var typed = new StringBuilder();
        for (ConsoleKeyInfo key; (key = Console.ReadKey(intercept: true)).Key != ConsoleKey.Enter;)
        {
            if (key.Key == ConsoleKey.Backspace)
                typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar))
                typed.Append(key.KeyChar);
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
