/**
 * What shells run to complete a command line. Each hands the words typed so far to `fleet completion --complete`, as
 * words: nothing that is typed is evaluated. Where there is no candidate, names of files are.
 */

const bash = String.raw`# fleet completion for bash; in ~/.bashrc:  source <(fleet completion bash)
_fleet_completion() {
  local IFS=$'\n'
  COMPREPLY=($(fleet completion --complete -- "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
}
complete -o default -F _fleet_completion fleet`;

const zsh = String.raw`#compdef fleet
# fleet completion for zsh; in ~/.zshrc, behind compinit:  source <(fleet completion zsh)
_fleet_completion() {
  local line
  local -a candidates
  for line in "${'$'}{(@f)$(fleet completion --complete -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && candidates+=("${'$'}{${'$'}{line%%$'\t'*}//:/\\:}:${'$'}{line#*$'\t'}")
  done
  if (( $#candidates )); then _describe fleet candidates; else _files; fi
}
compdef _fleet_completion fleet`;

const fish = `# fleet completion for fish; in ~/.config/fish/config.fish:  fleet completion fish | source
function __fleet_completion
  set -l words (commandline -opc)
  set -l now (commandline -ct)
  set -l found (fleet completion --complete -- $words[2..-1] "$now" 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path "$now"
  end
end
complete -c fleet -f -a '(__fleet_completion)'`;

export const SCRIPTS = { bash, zsh, fish } as const;
