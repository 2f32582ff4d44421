"""The labels that the page's scripts draw; they put names and numbers into the places."""

LABELS = {
    # a module's branches
    "channel": "{stage} · {branch} · channel {channel} (concat {concat})",
    "tile": "{name}, mean {mean}",
    "map": "{name}, from {low} to {high}",
    "mean map": "mean of {stage} {branch} over {count} channels",
    "felt": "In practice 90\u00a0% of its input lies in a square of {side} px (dashed).",
    "measuring": "Measuring how much of it counts …",
    "not measured": "Not measured.",
    "longest": "The longest of the four bars belongs to the branch that is strongest per channel.",
    "own scale": "each map has its own scale; its largest value stands beside it",
    "all channels": "{stage} · {branch} · all {count} channels",
    # a channel that is opened
    "channel map": "map of the channel, from {low} to {high}",
    "middle": "0 in the middle, {limit}",
    "no index": "There is no index for these weights; create one with "
    "python -m gnet index --weights FILE --data PICTURES.",
    "pictures shipped": "{count} pictures shipped with the page, photos of clothes and patterns",
    "pictures of": "{count} pictures of {over}",
    "patches": "{number} strongest of {over}, at most one patch per picture. Each shows {side} of "
    "{size} px: {part}",
    "patch part": "90\u00a0% of a cell’s input lies in that square; in theory the cell sees "
    "{sees} px.",
    "patch whole": "all that a cell sees.",
    "no patch": "It responds to none of {over}.",
    "grown": "Grown from noise, step by step towards a stronger mean response (activation "
    "maximisation).",
    "to grow": "Activation maximisation: noise is changed until the channel responds to it; takes "
    "a few seconds.",
    "cell": "How its strongest cell is computed: row {row}, column {column}, from {inputs} inputs",
    "cell pooled": "How its strongest cell is computed: row {row}, column {column}, from {inputs} "
    "inputs, each the largest of 3×3 cells",
    "total": "{sum} <small>({others} other inputs)</small>{bias} <small>(bias)</small> = "
    "<b>{total}</b>. Value in the network: {recorded}",
    "total rectified": "{sum} <small>({others} other inputs)</small>{bias} <small>(bias)</small> = "
    "<b>{total}</b>, and the ReLU makes it <b>{value}</b>. Value in the network: {recorded}",
    # the map of what the branches are worth
    "behind": "behind {head}",
    "worth": "{name} {setting}: logit {logit}, probability {points} points",
    "worth off": "branch off",
    "worth mean": "branch at its mean over {reference}",
    "worth scale": "One scale, −{limit} to {limit}.",
    # confusion matrix and reliability
    "matrix": "Confusion matrix of {head}, {count} classes: arrow keys go from cell to cell, Enter "
    "opens its pictures",
    "point": "Point at a cell, or choose one.",
    "right": "{truth}, right: {many} of {all}, {share}",
    "mistaken": "{truth} mistaken for {answer}: {many} of {all}, {share}",
    "right none": "{truth}, right: no picture of it",
    "mistaken none": "{truth} mistaken for {answer}: no picture of it",
    "reliability": "Reliability: calibration error {errors}",
    "seen right": "{truth}: right, {share}. Explore it.",
    "seen wrong": "{truth}: wrong, mistaken for {answer}, {share}. Explore it.",
    # the form
    "taken": "{label}: {given} was given, {taken} is taken; allowed are numbers from {low} to "
    "{high}.",
    "rates": "Loss over learning rate; {rate} is suggested",
    "rate found": "The loss while the rate rises. It is lowest at three times {rate}, the "
    "suggested rate.",
    "use rate": "Use {rate}",
    "zip too large": "The zip has {given} MB; allowed are up to {megabytes} MB.",
    "upload failed": "The upload failed; try again.",
    # the run that is followed
    "no run": "No run yet",
    "no such run": "No such run",
    "first run": "Choose an experiment and press Start: the first run is a short one, and "
    "everything below fills while it learns.",
    "start of run": "Start of the run",
    "progress of run": "Progress of the run",
    "epoch of": "epoch <b>{epoch} of {epochs}</b>",
    "step of": "step <b>{step} of {steps}</b>",
    "speed": "<b>{speed}</b> pictures a second",
    "left": "<b>{time}</b> left",
    "trained for": "<b>{time}</b> in training",
    "rate": "learning rate <b>{rate}</b>",
    "rate below": "learning rate <b>{rate}</b>, peak <b>{peak}</b>",
    "aux weight": "aux weight <b>{aux1}</b>",
    "aux weights": "aux weight <b>{aux2} and {aux1}</b>",
    "zoomed": "epochs <b>{from} to {to}</b> on the plots",
    "change": "change",
    "whole run": "whole run",
    "pause": "Pause",
    "continue": "Continue",
    "step": "Step",
    "stop": "Stop",
    "resume": "Resume",
    "new rate": "New peak learning rate",
    "new rate does": "The schedule goes on from there.",
    "new weight": "New weight of both auxiliary losses",
    "new weight does": "Recorded, and marked on the plots.",
    "server away": "The server is not reachable; these are the last known values.",
    "server away now": "The server is not reachable; try again.",
    "copy link": "Copy link",
    "copied": "Copied",
    "link to run": "The link to this run",
    # the runs so far
    "no runs": "Your runs appear here and can be compared.",
    "explore run": "Explore this network",
    "delete": "Delete",
    "delete named": "Delete {name}",
    "deleted": "<b>{name}</b> is deleted.",
    "undo": "Undo",
    "undo named": "Undo: keep {name}",
    "delete now": "Delete now",
    "delete named now": "Delete {name} now",
    "on plots": "On the plots",
    "lay over": "Lay {name} over the plots",
    # after a run
    "no network saved": "It ended before its first checkpoint, so no network was saved.",
    "no head trained": "No head of this network is trained, so there is nothing to show.",
    "weights file": "{which} weights",
    "config file": "config",
    "events file": "events",
    "curves file": "curves for TensorBoard",
    "server failed": "The server could not answer.",
    "server silent": "The server did not answer; choose once more.",
    "same settings": "Their settings are the same.",
    "head right": "{head} right",
    "right of": "of the validation pictures, after the last epoch",
    "no picture pinned": "This run pinned no picture.",
    # plots of a run
    "gradients": "Gradient norms: {norms}",
    "no gradients": "Gradient norms: not measured",
    "gradients later": "Measured on one probe batch once the run has begun.",
    "gradients never": "This run does not measure gradients.",
    "gradients lost": "Step {step}: the gradients are no numbers any more.",
    "gradients at": "Step {step}. Point at a module for its numbers and angles.",
    "gradient lost": "{module}: the gradient is no number any more",
    "gradient": "{norms}; cosine {angles}",
    "far": "{what} {value} after epoch {epoch}",
    "in validation": "{head} in validation",
    "untrained": "{head} is untrained: its loss has no weight",
    "show": "Show or hide {head}",
    "plot": "{title}: {values}",
    "rate set": "learning rate up to {value}",
    "weight set": "weight of {head} {value}",
    # inside a module, epoch by epoch
    "before": "before any step",
    "within": "epoch {epoch}, step {step}",
    "after": "after epoch {epoch}",
    "cells": "The map has {cells} cells and is enlarged smoothly",
    "up to": "{share}, up to {high}",
    "inside map": "Mean map of {stage}'s {branch} branch, {cells} cells, {moment}, from {low} to "
    "{high}",
    "shares": "Share of each branch in {stage} over the run: {shares}",
    # the network that is shown
    "trained here": "This is {name}, a network trained here: {count} classes, {size} px.",
    "trained here right": "This is {name}, a network trained here: {count} classes, {size} px; "
    "right in {heads} of its validation pictures.",
    "back": "Back to {name}",
}
"""Name → its words; a name in braces is a place."""
